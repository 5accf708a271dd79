"""`tradebot audit` shows changes with their ends, and what is wrong with the log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.backups.test_manifest import MANIFEST
from tests.operations.seen import refusal, whole
from tests.operations.test_change import NOON, world
from tradebot_ops.audit import LOG
from tradebot_ops.audit.chain import Head
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.audit.verify import Verdict
from tradebot_ops.backups.shelf import DUMP, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project import audit_log
from tradebot_ops.model import Level, Report, Section
from tradebot_ops.operations.audit import report
from tradebot_ops.operations.audit.report import SHOWN, listing, verify
from tradebot_ops.operations.change import actor, change


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path, TRADEBOT_BACKUPS=str(tmp_path / "backups"))


def backed_up(ops: Ops, project: str = "demo", by: str = "") -> None:
    """A backup that holds the end of the log as it is now."""
    head = AuditLog(ops.state.folder).noted()
    assert head is not None
    with Shelf(ops.settings.backups / "demo").draft(NOON) as draft:
        (draft.folder / DUMP).write_bytes(b"dump")
        draft.finish(replace(MANIFEST, project=project, by=by or actor(ops), audit=head))


def commands(ops: Ops, since: datetime | None = None, by: str = "", command: str = "") -> list[Any]:
    data: Any = listing(ops, since, by, command).data
    return [each["command"] for each in data["changes"]]


def test_who_what_when_how_long_and_how_it_ended(ops: Ops) -> None:
    with change(ops, "scale", "worker", "6"):
        pass
    with pytest.raises(OpsError), change(ops, "up"):
        raise OpsError("No room.", code="TB-0802")
    found = listing(ops, None, "", "")
    data: Any = found.data
    assert data["head"] == str(AuditLog(ops.state.folder).noted())
    scaled, failed = data["changes"]
    assert scaled == {
        "number": 1,
        "at": NOON.isoformat(),
        "by": actor(ops),
        "command": "scale",
        "arguments": ["worker", "6"],
        "engine": None,
        "outcome": "ok",
        "seconds": scaled["seconds"],
        "error": None,
    }
    assert (failed["outcome"], failed["error"]) == ("failed", "TB-0802: No room.")
    row = found.sections[0].tables[0].rows[0]
    assert row[:4] == (NOON.isoformat(), actor(ops), "scale worker 6", "ok")


def test_one_that_was_killed_has_no_end(ops: Ops) -> None:
    log = AuditLog(ops.state.folder)
    log.append(lambda: {"event": "began", "at": NOON.isoformat(), "by": "ana@desk", "command": "up", "arguments": []})
    found = listing(ops, None, "", "")
    data: Any = found.data
    assert (data["changes"][0]["outcome"], data["changes"][0]["seconds"]) == (None, None)
    assert found.sections[0].tables[0].rows[0][3:] == ("no end", "")


def test_what_is_asked_for(ops: Ops) -> None:
    later = Ops(ops.settings, ops.engine, clock=lambda: NOON + timedelta(hours=1))
    with change(ops, "backup create"):
        pass
    with change(later, "backup verify"):
        pass
    with change(later, "backups"):
        pass
    assert commands(ops, since=NOON + timedelta(minutes=1)) == ["backup verify", "backups"]
    assert commands(ops, command="backup") == ["backup create", "backup verify"]
    assert commands(ops, command="backup verify") == ["backup verify"]
    assert commands(ops, by=actor(ops)) == commands(ops, by=actor(ops).partition("@")[0]) == commands(ops)
    assert commands(ops, by="an") == []


def test_a_person_sees_the_newest_and_a_program_all(ops: Ops) -> None:
    for _ in range(SHOWN + 2):
        with change(ops, "stop"):
            pass
    found = listing(ops, None, "", "")
    assert len(found.sections[0].tables[0].rows) == SHOWN
    assert "2 older ones" in found.sections[0].lines[0]
    assert len(commands(ops)) == SHOWN + 2


def test_nothing_on_record(ops: Ops) -> None:
    found = listing(ops, None, "", "")
    assert found.sections[0].lines == ("No change is on record for this project.",)
    assert found.data == {"changes": [], "head": None}


def test_times_without_zone_or_sense_are_shown(ops: Ops) -> None:
    for at in ("2026-11-22T12:00:00", "yesterday"):
        AuditLog(ops.state.folder).append(lambda at=at: {"event": "began", "at": at, "command": "up"})  # type: ignore[misc]
    assert commands(ops, since=datetime(2030, 1, 1, tzinfo=UTC)) == ["up", "up"]


# Verification


def test_a_log_up_to_its_last_backup_is_proved(ops: Ops) -> None:
    with change(ops, "stop"):
        pass
    backed_up(ops)
    found = verify(ops, "")
    data: Any = found.data
    assert (found.exit_code, data["proved"], data["entries"], data["wrong"], data["unproven"]) == (0, 2, 2, [], [])
    assert [each.level for each in found.findings] == [Level.PASS]
    assert audit_log.judged(ops).proved == 2


def _cut(log: Path) -> None:
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))


def _swapped(log: Path) -> None:
    first, second = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(second + first)


@pytest.mark.parametrize(
    "plant",
    [
        lambda log: log.write_bytes(log.read_bytes().replace(b'"stop"', b'"halt"')),
        lambda log: log.write_bytes(b""),
        lambda log: log.unlink(),
        _cut,
        _swapped,
    ],
)
def test_what_was_planted_fails(ops: Ops, plant: Callable[[Path], object]) -> None:
    with change(ops, "stop"):
        pass
    backed_up(ops)
    plant(ops.state.folder / LOG)
    found = verify(ops, "")
    assert found.exit_code == 1
    assert {each.level for each in found.findings if each.id == "TB-0135"} >= {Level.FAIL}
    assert audit_log.judged(ops).wrong


def test_log_and_note_removed_together_are_found_by_the_backup(ops: Ops) -> None:
    with change(ops, "stop"):
        pass
    backed_up(ops)
    for name in ("audit.jsonl", "audit-head.json"):
        (ops.state.folder / name).unlink()
    with change(ops, "start"):
        pass
    assert "is not the one that the backup 20261122T120000Z has seen" in verify(ops, "").findings[0].message


def test_the_backup_of_another_project_or_host_accuses_nobody(ops: Ops) -> None:
    with change(ops, "stop"):
        pass
    backed_up(ops, project="other")
    backed_up(ops, by="ana@elsewhere")
    for name in ("audit.jsonl", "audit-head.json"):
        (ops.state.folder / name).unlink()
    with change(ops, "start"):
        pass
    found = verify(ops, "")
    assert found.exit_code == 0
    assert len([each for each in found.findings if "the backup" in each.message]) == 1


def test_an_end_that_was_noted_elsewhere(ops: Ops) -> None:
    with change(ops, "stop"):
        pass
    head = str(AuditLog(ops.state.folder).noted())
    assert verify(ops, head).findings[0].level is Level.PASS
    (ops.state.folder / LOG).write_bytes(b"")
    assert "the anchor that was given has seen entry 2" in " ".join(each.message for each in verify(ops, head).findings)
    with pytest.raises(OpsError) as caught:
        verify(ops, "7")
    assert caught.value.code == "TB-0270"


def test_volumes_that_go_take_no_history_along(ops: Ops) -> None:
    with change(ops, "down", "--volumes"):
        ops.state.forget()
    assert commands(ops) == ["down"]
    assert report.verify(ops, "").exit_code == 0


def test_what_is_said_of_a_log(snapshot: SnapshotAssertion) -> None:
    head, at = Head(12, "9f86"), NOON.isoformat()
    seen = []
    for verdict in (
        Verdict(Head(), "", (), (), 0),
        Verdict(head, at, (), (), 12),
        Verdict(head, at, (), ("Nobody saw the rest.",), 7),
        Verdict(head, at, ("Entry 8 was changed.", "Entry 9 is gone."), ("Nobody saw.",), 7),
    ):
        found = Report(
            findings=tuple(report._findings(verdict)), sections=(Section(lines=tuple(report._lines(verdict))),)
        )
        seen.append(whole(found))
    assert "\n\n".join(seen) == snapshot


def test_what_is_no_end_of_a_log(ops: Ops) -> None:
    with pytest.raises(OpsError) as caught:
        verify(ops, "twelve")
    code, message, hint = refusal(caught.value)
    assert (code, hint) == ("TB-0270", "The present one, such as 12:9f86…: tradebot audit --verify")
    assert message.startswith("This is no end of an audit log: ")
    assert message.endswith(".")


def test_nothing_on_record_and_more_than_is_shown(ops: Ops) -> None:
    assert listing(ops, None, "", "").sections[0].lines == ("No change is on record for this project.",)
    for _ in range(SHOWN + 2):
        with change(ops, "scale", "worker", "6"):
            pass
    found = listing(ops, None, "", "").sections[0]
    assert found.lines == ("2 older ones: tradebot audit --since 30d",)
    assert found.tables[0].columns == ("when", "by", "command", "outcome", "took")
    assert listing(ops, None, "", "up").sections[0].lines == ("No change is on record that fits.",)
    assert listing(ops, NOON, "", "").sections[0].lines == ()
