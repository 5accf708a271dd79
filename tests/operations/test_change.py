"""The write boundary: one lease and one pair of hooks for each command, whatever it is made of."""

import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import COMPOSE
from tests.waiting import until
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.operations import hooks
from tradebot_ops.operations.alerts import silences
from tradebot_ops.operations.change import actor, change, user
from tradebot_ops.operations.lifecycle import monitoring, scale_history, startstop
from tradebot_ops.prodcheck.waive import waive
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import ScaleHistory
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Write = Callable[..., Path]


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path)


def world(tmp_path: Path, *, timeout: str = "20", **more: str) -> Ops:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), "PATH": os.environ["PATH"], **more}
    settings = load_settings({"project": "demo", "timeout": timeout}, environ, tmp_path)
    return Ops(settings, StubEngine("demo"), clock=lambda: NOON)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("pre-stop", "exit 1")`` makes a hook of that shell script."""

    def make(name: str, script: str, mode: int = 0o755) -> Path:
        hook = tmp_path / ".tradebot" / "hooks" / name
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(mode)
        return hook

    return make


def held(ops: Ops) -> str:
    """Who holds the project's lease, as another process sees it; empty when nobody does."""
    other = Ops(ops.settings, StubEngine("demo"))
    try:
        with other.state.lock("a look"):
            return ""
    except OpsError as error:
        return error.message


# The lease


def test_the_lease_is_held_within_and_free_after(ops: Ops) -> None:
    with change(ops, "scale", "worker", "3"):
        assert "`tradebot scale`" in held(ops)
    assert held(ops) == ""


def test_the_lease_is_free_after_a_failure(ops: Ops) -> None:
    with pytest.raises(ValueError, match="broken"), change(ops, "stop"):
        raise ValueError("broken")
    assert held(ops) == ""
    assert ops.changes == []


def test_a_change_within_a_change_is_a_part_of_it(ops: Ops) -> None:
    with change(ops, "monitoring restart"):
        with change(ops, "restart"):
            assert "`tradebot monitoring restart`" in held(ops)
        assert "`tradebot monitoring restart`" in held(ops)
    assert held(ops) == ""


def test_the_same_world_under_other_settings_shares_the_change(ops: Ops) -> None:
    with change(ops, "monitoring start"), change(ops.with_settings(ops.settings), "up"):
        assert "`tradebot monitoring start`" in held(ops)


def test_what_needs_no_lease_works_while_another_command_holds_it(ops: Ops, tmp_path: Path) -> None:
    with change(ops, "up"), change(world(tmp_path), "jobs submit", lease=False):
        pass
    with change(ops, "up"), pytest.raises(OpsError, match="tradebot up") as caught, change(world(tmp_path), "scale"):
        pass
    assert caught.value.exit_code is ExitCode.LOCK_HELD


def test_a_part_that_needs_the_lease_takes_it_where_the_whole_does_not(ops: Ops) -> None:
    with change(ops, "jobs submit", lease=False):
        assert held(ops) == ""
        with change(ops, "start"):
            assert "`tradebot start`" in held(ops)
        assert held(ops) == ""


# Who did it


def test_whoever_typed_it_is_named_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = world(tmp_path, SUDO_USER="ana", LOGNAME="root", USER="root")
    monkeypatch.setattr(socket, "gethostname", lambda: "desk")
    silenced: list[str] = []
    ops.__dict__["alertmanager"] = ops.__dict__["prometheus"] = SimpleNamespace(
        silence=lambda matchers, ends, author, comment: silenced.append(author), rules=list
    )
    silences.silence(ops, ["Watchdog"], "1h", "test")
    scale_history.remember(ops, "worker", 1, 2, kept=False)
    scaled = [scaling.by for scaling in ops.state.load(ScaleHistory).scalings]
    assert actor(ops) == "ana@desk"
    assert (silenced, scaled) == (["ana@desk"], ["ana@desk"])
    waive(ops, "DAT-09", "One account.", "2026-12-31")
    assert 'owner = "ana"' in (tmp_path / "tradebot.toml").read_text()


def test_a_user_without_a_name_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert user(world(tmp_path)) == str(os.getuid())


# Hooks


def test_hooks_run_before_and_after_and_see_what_happens(ops: Ops, write: Write, tmp_path: Path) -> None:
    for moment in ("pre", "post"):
        write(f"{moment}-monitoring-reload", f'env | grep ^TRADEBOT_ | sort > "{tmp_path}/{moment}"; pwd')
    said: list[ProgressEvent] = []
    with change(ops, "monitoring reload", "now", on_progress=said.append):
        assert not (tmp_path / "post").exists()
    before, after = (
        dict(line.split("=", 1) for line in (tmp_path / m).read_text().splitlines()) for m in ("pre", "post")
    )
    assert before == {
        "TRADEBOT_ACTOR": actor(ops),
        "TRADEBOT_ARGUMENTS": "now",
        "TRADEBOT_COMMAND": "monitoring reload",
        "TRADEBOT_ENGINE": "stub",
        "TRADEBOT_ENV": "dev",
        "TRADEBOT_HOOK": "pre-monitoring-reload",
        "TRADEBOT_PROJECT": "demo",
        "TRADEBOT_RECORDED_AT": "2026-11-22T12:00:00+00:00",
        "TRADEBOT_STATE": str(tmp_path / "state"),
    }
    own = {"TRADEBOT_HOOK": "post-monitoring-reload", "TRADEBOT_RESULT": "ok", "TRADEBOT_RUNTIME": "0"}
    assert after.pop("TRADEBOT_AUDIT").startswith("2:")
    assert after == before | own
    assert ProgressEvent("pre-monitoring-reload", Phase.PREPARING, str(tmp_path)) in said
    assert said[-1] == ProgressEvent("post-monitoring-reload", Phase.DONE)


def _variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_a_pre_hook_that_fails_refuses_the_command(ops: Ops, write: Write) -> None:
    hook = write("pre-stop", "echo The market is open.; exit 3")
    write("post-stop", "touch post")
    ops.engine.prepare(ops.stack, lambda service, line: None)
    ops.engine.apply(ops.stack, "store", 1)
    before = ops.engine.list()
    with pytest.raises(OpsError) as caught:
        startstop.stop(ops, [], ignore_progress)
    assert caught.value.message == f"The hook {hook} ended with exit code 3, so nothing was changed."
    assert (caught.value.code, caught.value.exit_code) == ("TB-0908", ExitCode.REFUSED)
    assert caught.value.detail == ("The market is open.",)
    assert ops.engine.list() == before
    assert not (ops.settings.cwd / "post").exists()
    assert held(ops) == ""


def test_the_last_ten_lines_of_a_hook_that_fails_come_with_the_refusal(ops: Ops, write: Write) -> None:
    write("pre-stop", "for number in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $number; done; exit 3")
    with pytest.raises(OpsError) as caught:
        startstop.stop(ops, [], ignore_progress)
    assert caught.value.detail == tuple(str(number) for number in range(3, 13))


def test_a_hook_that_took_too_long_may_put_its_things_in_order(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "STOP_SECONDS", 60.0)
    write("pre-stop", "trap 'touch tidied; exit 0' TERM; touch begun; sleep 60 & wait")
    with pytest.raises(OpsError, match="did not end within"):
        startstop.stop(world(tmp_path, timeout="2"), [], ignore_progress)
    assert (tmp_path / "tidied").exists() is (tmp_path / "begun").exists()


def test_a_hook_that_heeds_no_signal_is_killed(tmp_path: Path, write: Write) -> None:
    write("pre-stop", "trap '' TERM; sleep 30; touch ended")
    ops = world(tmp_path, timeout="0.2")
    with pytest.raises(OpsError, match=r"did not end within 0\.2 s"):
        startstop.stop(ops, [], ignore_progress)
    assert not (tmp_path / "ended").exists(), "it was waited for"


def test_a_post_hook_that_fails_is_a_warning(ops: Ops, write: Write) -> None:
    hook = write("post-stop", "exit 1")
    startstop.stop(ops, [], ignore_progress)
    assert ops.warnings == [f"The hook {hook} ended with exit code 1."]


def test_a_post_hook_learns_that_the_change_failed(ops: Ops, write: Write, tmp_path: Path) -> None:
    write("post-up", f'echo "$TRADEBOT_RESULT $TRADEBOT_ERROR" > "{tmp_path}/after"; exit 1')
    with pytest.raises(OpsError, match="No room"), change(ops, "up"):
        raise OpsError("No room.", code="TB-0802")
    assert (tmp_path / "after").read_text() == "failed TB-0802: No room.\n"


def test_one_command_has_one_pair_of_hooks(ops: Ops, write: Write, tmp_path: Path) -> None:
    for name in ("pre-monitoring-stop", "post-monitoring-stop", "pre-stop", "post-stop"):
        write(name, f'echo {name} >> "{tmp_path}/ran"')
    monitoring.stop(ops, ignore_progress)
    assert (tmp_path / "ran").read_text().split() == ["pre-monitoring-stop", "post-monitoring-stop"]


def test_what_a_hook_calls_runs_no_hooks(tmp_path: Path, write: Write) -> None:
    write("pre-stop", "exit 1")
    with change(world(tmp_path, TRADEBOT_HOOK="pre-up"), "stop"):
        pass


def test_a_hook_ends_within_the_time_that_each_answer_may_take(tmp_path: Path, write: Write) -> None:
    """And so does what it started."""
    write("pre-stop", f'sleep 600 & echo $! > "{tmp_path}/child"; echo begun; wait')
    started = time.monotonic()
    with (
        pytest.raises(OpsError, match=r"did not end within 0\.5 s") as caught,
        change(world(tmp_path, timeout="0.5"), "stop"),
    ):
        pass
    assert time.monotonic() - started < 10
    assert caught.value.detail == ("begun",)
    child = int((tmp_path / "child").read_text())
    until(lambda: not _runs(child), "the end of what the hook started")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_hook_may_leave_a_program_behind_that_holds_its_output(ops: Ops, write: Write, tmp_path: Path) -> None:
    write("pre-stop", f'sleep 600 & echo $! > "{tmp_path}/child"; echo done')
    started = time.monotonic()
    with change(ops, "stop"):
        pass
    assert time.monotonic() - started < 10
    os.kill(int((tmp_path / "child").read_text()), 9)


@pytest.mark.parametrize(
    ("script", "mode", "why"),
    [
        ("true", 0o644, "cannot be started; make it executable: chmod +x"),
        ("true", 0o757, "was not run: every user of this host may write to"),
        ("kill -9 $$", 0o755, "was ended by signal 9"),
    ],
)
def test_why_a_hook_failed(ops: Ops, write: Write, script: str, mode: int, why: str) -> None:
    write("pre-stop", script, mode)
    with pytest.raises(OpsError) as caught, change(ops, "stop"):
        pass
    assert why in caught.value.message
    assert caught.value.code == "TB-0908"


def test_a_hook_of_another_user_is_not_run(ops: Ops, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = write("pre-stop", "true")
    owner = hook.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:
        monkeypatch.setattr(hooks, "ROOT", 1)
    with pytest.raises(OpsError, match="belongs to another user"), change(ops, "stop"):
        pass


@pytest.mark.parametrize("what", ["hook", "folder"])
def test_a_hook_that_everybody_may_write_is_not_run_nor_one_in_such_a_folder(ops: Ops, write: Write, what: str) -> None:
    """Who may write to the folder may put another hook into it."""
    hook = write("pre-stop", "true")
    path = hook if what == "hook" else hook.parent
    path.chmod(0o777)
    with pytest.raises(OpsError, match=f"every user of this host may write to {path}"), change(ops, "stop"):
        pass
    path.chmod(0o755)
    with change(ops, "stop"):
        pass


def test_hooks_lie_beside_the_description_or_where_one_stands(tmp_path: Path, write: Write) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    below = tmp_path / "below"
    below.mkdir()
    ops = Ops(load_settings({"project": "demo"}, {"HOME": str(tmp_path)}, below), StubEngine("demo"))
    beside = write("pre-up", "true")
    assert hooks.find(ops, "pre", "up") == beside
    beside.unlink()
    own = below / ".tradebot" / "hooks" / "pre-up"
    own.parent.mkdir(parents=True)
    own.write_text("")
    assert hooks.find(ops, "pre", "up") == own


def test_a_description_that_is_gone_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    settings = load_settings(
        {"project": "demo", "files": ["gone.yaml"]}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path
    )
    with change(Ops(settings, StubEngine("demo")), "down"):
        pass


SCRIPT = """
import sys
from pathlib import Path
from types import SimpleNamespace
from tests.operations.test_change import world
from tradebot_ops.cli import interrupt
from tradebot_ops.operations.alerts import silences
from tradebot_ops.operations.change import change

interrupt.arm()
with change(world(Path(sys.argv[1])), "stop", on_progress=lambda event: Path("hook").write_text(event.detail)):
    Path("changed").touch()
"""


def test_ctrl_c_ends_the_hook_that_runs_and_nothing_is_changed(tmp_path: Path, write: Write) -> None:
    write("pre-stop", 'trap "" INT; echo $$; exec sleep 600')
    environ = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=tmp_path, env=environ, stderr=-1)
    hook = int(until(lambda: (tmp_path / "hook").exists() and (tmp_path / "hook").read_text(), "the hook's start"))
    process.send_signal(2)
    assert process.wait(20) != 0
    until(lambda: not _runs(hook), "the end of the hook")
    assert not (tmp_path / "changed").exists()


@pytest.mark.parametrize(
    ("error", "moments"),
    [
        (None, ["pre", "post"]),
        (OpsError("No room.", code="TB-0802"), ["pre", "post"]),
        (KeyboardInterrupt(), ["pre"]),
        (SystemExit(1), ["pre"]),
    ],
)
def test_after_an_interruption_no_post_hook_runs(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, error: BaseException | None, moments: list[str]
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(hooks, "find", lambda _, moment, command: Path(f"{moment}-{command}"))
    monkeypatch.setattr(hooks, "run", lambda hook, *_: ran.append(hook.name))
    with suppress(KeyboardInterrupt, SystemExit, OpsError), change(ops, "stop"):
        if error is not None:
            raise error
    assert ran == [f"{moment}-stop" for moment in moments]


def test_without_hooks_nothing_is_started(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **options: pytest.fail("a process was started"))
    before = threading.active_count()
    with change(ops, "up"):
        assert threading.active_count() == before
