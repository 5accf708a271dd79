"""Every change leaves who, what, when, how long and how it ended; a log that cannot be written holds nothing up."""

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.test_change import NOON, world
from tradebot_ops.audit import LOG
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.context import Change, Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.operations.audit.entry import MOST_ARGUMENTS, Audited, outcome
from tradebot_ops.operations.change import actor, change


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path)


def logged(ops: Ops) -> list[dict[str, Any]]:
    return [json.loads(line) for line in AuditLog(ops.state.folder).read().splitlines()]


def test_a_change_leaves_its_beginning_and_its_end(ops: Ops) -> None:
    with change(ops, "scale", "worker", "6"):
        assert ops.engine.name == "stub"
    began, ended = logged(ops)
    assert began | {"hash": "", "previous": ""} == {
        "number": 1,
        "event": "began",
        "at": NOON.isoformat(),
        "by": actor(ops),
        "command": "scale",
        "arguments": ["worker", "6"],
        "env": "dev",
        "previous": "",
        "hash": "",
    }
    assert (ended["of"], ended["outcome"], ended["engine"]) == (1, "ok", "stub")
    assert 0 <= ended["seconds"] < 5
    assert ended["previous"] == began["hash"]
    assert datetime.fromisoformat(ended["at"]) == NOON


def test_how_long_it_took_is_written_to_the_millisecond(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 101.23456])
    monkeypatch.setattr("tradebot_ops.operations.audit.entry.time", SimpleNamespace(monotonic=lambda: next(times)))
    audited = Audited(ops, Change("up", (), leased=True))
    audited.end()
    assert logged(ops)[1]["seconds"] == 1.235


def test_a_change_that_needs_no_engine_looks_for_none(tmp_path: Path) -> None:
    ops = Ops(world(tmp_path).settings, clock=lambda: NOON)
    with change(ops, "attest", "team-trained"):
        pass
    assert "choice" not in vars(ops)
    assert "engine" not in logged(ops)[1]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OpsError("No room.", code="TB-0802"), "failed"),
        (OpsError("A position is open.", code="TB-0901"), "refused"),
        (ValueError("broken"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_how_it_ended(ops: Ops, error: BaseException, expected: str) -> None:
    with pytest.raises(type(error)), change(ops, "stop"):
        raise error
    assert logged(ops)[1]["outcome"] == expected == outcome(error)
    assert logged(ops)[1]["error"]


def test_a_refusal_by_a_hook_is_on_record(ops: Ops, tmp_path: Path) -> None:
    hook = tmp_path / ".tradebot" / "hooks" / "pre-stop"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OpsError) as caught, change(ops, "stop"):
        pass
    assert caught.value.exit_code == ExitCode.REFUSED
    assert [line.get("outcome") for line in logged(ops)] == [None, "refused"]


def test_one_command_is_one_change(ops: Ops) -> None:
    with change(ops, "monitoring restart"), change(ops, "restart"):
        pass
    assert [line.get("command") for line in logged(ops)] == ["monitoring restart", None]


def test_a_command_about_a_thousand_things_names_the_first(ops: Ops) -> None:
    with change(ops, "dlq purge", *map(str, range(1000)), "x" * 10_000):
        pass
    named = logged(ops)[0]["arguments"]
    assert len(named) == MOST_ARGUMENTS + 1
    assert named[-1] == "and 981 more"
    with change(ops, "dlq purge", "x" * 10_000):
        pass
    assert len(logged(ops)[2]["arguments"][0]) <= 120


def test_a_log_that_cannot_be_written_is_one_warning_and_holds_nothing_up(ops: Ops) -> None:
    (ops.state.folder / LOG).mkdir(parents=True)
    done = []
    with change(ops, "down"):
        done.append("down")
    assert done == ["down"]
    assert [line for line in ops.warnings if line.startswith("The audit log lacks this change: Cannot write")] != []
    assert len(ops.warnings) == 1


def test_a_post_hook_learns_the_end_of_the_log(ops: Ops, tmp_path: Path) -> None:
    hook = tmp_path / ".tradebot" / "hooks" / "post-stop"
    hook.parent.mkdir(parents=True)
    hook.write_text(f'#!/bin/sh\necho "$TRADEBOT_AUDIT" > "{tmp_path}/head"\n')
    hook.chmod(0o755)
    with change(ops, "stop"):
        pass
    assert (tmp_path / "head").read_text() == f"{AuditLog(ops.state.folder).noted()}\n"
