"""A copy counts once every file of it was read back there; one that is not the backup is forgotten."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.backups.test_shelf import put
from tests.operations.backup.copying.test_ssh import host
from tests.operations.seen import refusal
from tests.operations.test_change import world
from tradebot_ops.audit.chain import Entry
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.backups.copies import Copy, copies_of
from tradebot_ops.backups.shelf import SUMS, Backup, Proof, Refutation, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.backup.copying import copy as copying
from tradebot_ops.operations.backup.copying.copy import copy
from tradebot_ops.operations.backup.create import shelf_of
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    (tmp_path / "usb").mkdir()
    return world(tmp_path, TRADEBOT_BACKUPS=str(tmp_path / "backups"))


@pytest.fixture
def backup(ops: Ops) -> Backup:
    return put(shelf_of(ops))


def to(ops: Ops, destination: str) -> Report:
    return copy(ops, shelf_of(ops), "latest", destination, ignore_progress)


def test_it_is_remembered_with_the_backup(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    report = to(ops, str(tmp_path / "usb"))
    data: Any = report.data
    (there,) = Shelf(tmp_path / "usb" / "demo").all()
    assert (data["place"], data["written"], data["apart"]) == (str(there.folder), True, False)
    (known,) = copies_of(backup.folder)
    assert (known.place, known.moment) == (str(there.folder), ops.clock())
    assert report.warnings == ("It is on the same disk as the backup, and shares its fate.",)
    assert copies_of(there.folder) == (), "a copy knows nothing of copies"


def test_a_place_is_named_from_the_folder_one_stands_in(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    to(ops, "usb")
    assert copies_of(backup.folder)[0].place == str(tmp_path / "usb" / "demo" / backup.id)


def test_the_proof_of_a_restore_goes_with_it(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    backup.remember(Proof("2026-11-22T11:00:00+00:00", 1.5))
    to(ops, "usb")
    (there,) = Shelf(tmp_path / "usb" / "demo").all()
    assert there.proof is not None
    backup.remember(Proof("2026-11-22T12:00:00+00:00", 1.5))
    to(ops, "usb")  # a later proof makes no other backup of it


def test_a_second_time_only_reads(ops: Ops, backup: Backup) -> None:
    to(ops, "usb")
    data: Any = to(ops, "usb").data
    assert data["written"] is False
    assert len(copies_of(backup.folder)) == 1


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_copy_that_rotted_is_named_and_forgotten(damage: str, ops: Ops, backup: Backup, tmp_path: Path) -> None:
    to(ops, "usb")
    dump = tmp_path / "usb" / "demo" / backup.id / "postgres.dump"
    if damage == "cut":
        dump.write_bytes(b"du")
    else:
        dump.unlink()
    with pytest.raises(OpsError) as caught:
        to(ops, "usb")
    assert caught.value.code == "TB-0139"
    assert caught.value.message == f"The copy {dump.parent} is not the backup {backup.id}: postgres.dump."
    assert caught.value.detail == (f"postgres.dump {'differs' if damage == 'cut' else 'is missing'} there.",)
    assert copies_of(backup.folder) == ()


def test_a_damaged_backup_is_not_copied(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    backup.dump.write_bytes(b"rotten")
    with pytest.raises(OpsError) as caught:
        to(ops, "usb")
    assert caught.value.code == "TB-0132"
    assert list((tmp_path / "usb").iterdir()) == []


def test_the_latest_is_not_one_whose_verification_failed(ops: Ops, backup: Backup) -> None:
    failed = put(shelf_of(ops), backup.at + timedelta(days=1))
    failed.refute(Refutation("2026-11-27T14:00:00+00:00", "The dump is cut."))
    report = to(ops, "usb")
    assert isinstance(report.data, dict)
    assert report.data["id"] == backup.id
    assert f"The last verification of the backup {failed.id} failed: The dump is cut." in report.warnings


def test_to_another_host(backup: Backup, tmp_path: Path) -> None:
    over = world(tmp_path, TRADEBOT_BACKUPS=str(tmp_path / "backups"), **host(tmp_path))
    (tmp_path / "home" / "backups").mkdir()
    report = to(over, "me@nas:backups/")
    (there,) = Shelf(tmp_path / "home" / "backups" / "demo").all()
    assert (there.id, there.damaged_files()) == (backup.id, ())
    (known,) = copies_of(backup.folder)
    assert (known.place, known.apart) == (f"me@nas:backups/demo/{backup.id}", True)
    assert report.warnings == ()
    assert len(report.sections[0].lines) == 2, "no folder of this host to restore from"


def test_what_is_said_and_audited(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    said: list[ProgressEvent] = []
    report = copy(ops, shelf_of(ops), "latest", "usb", said.append)
    place = tmp_path / "usb" / "demo" / backup.id
    first, second, third = report.sections[0].lines
    assert first == f"Backup {backup.id} was copied to {place}."
    assert second.startswith("3 files, ")
    assert third.endswith(f"tradebot backup restore {place} --from-project demo")
    assert [each.detail for each in said if each.service == backup.id][1:] == ["reading it back", str(place)]
    assert to(ops, "usb").sections[0].lines[0] == f"Backup {backup.id} lies already in {place}."
    began = Entry.read(AuditLog(ops.state.folder).read().splitlines()[0])
    assert began is not None
    assert (began.command, list(began.arguments)) == ("backup copy", ["latest", "usb"])


def test_all_that_is_said_of_a_copy(ops: Ops, backup: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradebot_ops.operations.backup.copying.folder.FolderCopy.apart", True)
    place = str(tmp_path / "usb" / "demo" / backup.id)
    for verb, written in (("was copied to", True), ("lies already in", False)):
        times, events, size = iter([10.0, 12.34567]), list[ProgressEvent](), backup.size
        monkeypatch.setattr(copying, "time", SimpleNamespace(monotonic=times.__next__))
        report = copy(ops, shelf_of(ops), "latest", "usb", events.append)
        assert report.data == {
            "id": backup.id,
            "place": place,
            "apart": True,
            "written": written,
            "files": 3,
            "bytes": backup.size,
            "seconds": 2.346,
        }
        assert report.sections[0].lines == (
            f"Backup {backup.id} {verb} {place}.",
            f"3 files, {backup.size} B, were read back there and are equal; 2.35 s. It is not encrypted.",
            f"Restore from it on a host that has this disk: tradebot backup restore {place} --from-project demo",
        )
        assert report.warnings == ()
        assert events == [
            ProgressEvent(backup.id, Phase.PREPARING, f"copying {size} B to usb"),
            ProgressEvent(backup.id, Phase.PREPARING, "reading it back"),
            ProgressEvent(backup.id, Phase.DONE, place),
        ]
    assert copies_of(backup.folder) == (Copy(place, "2026-11-22T12:00:00+00:00", apart=True),)


def test_a_copy_that_is_not_the_backup_is_said_in_full(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    to(ops, "usb")
    there = tmp_path / "usb" / "demo" / backup.id
    (there / "postgres.dump").write_bytes(b"du")
    (there / SUMS).unlink()
    with pytest.raises(OpsError) as caught:
        to(ops, "usb")
    assert refusal(caught.value) == (
        "TB-0139",
        f"The copy {there} is not the backup {backup.id}: postgres.dump, SHA256SUMS.",
        "Move it away and copy again; if it comes again, that disk is failing.",
    )
    assert caught.value.detail == ("postgres.dump differs there.", "SHA256SUMS is missing there.")


def test_the_list_of_checksums_is_compared_as_well(ops: Ops, backup: Backup, tmp_path: Path) -> None:
    to(ops, "usb")
    sums = tmp_path / "usb" / "demo" / backup.id / SUMS
    sums.write_text(sums.read_text() + "\n")
    with pytest.raises(OpsError, match=f"{backup.id}: SHA256SUMS"):
        to(ops, "usb")


def test_a_destination_that_cannot_be_one_is_not_written_to(ops: Ops, backup: Backup) -> None:
    with pytest.raises(OpsError) as caught:
        to(ops, "not-mounted")
    assert (caught.value.code, copies_of(backup.folder)) == ("TB-0276", ())


def test_home_is_home(ops: Ops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert copying.named(ops, "~/usb") == str(tmp_path / "home" / "usb")
    assert copying.named(ops, "nas:~/usb") == "nas:~/usb"
    assert copying.named(ops, "a/../usb") == str(ops.settings.cwd / "usb")
