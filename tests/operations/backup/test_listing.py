"""The list of backups: the newest first, a damaged one a failure, and one in full."""

from pathlib import Path

from tests.operations.backup.kit import NOON, damage, put, shelf, world
from tradebot_ops.backups.copies import Copy, remember
from tradebot_ops.backups.shelf import Proof, Refutation
from tradebot_ops.model import Level
from tradebot_ops.operations.backup import listing


def test_the_newest_comes_first_with_its_proof(tmp_path: Path) -> None:
    ops = world(tmp_path)
    old, new = put(ops, 2), put(ops, 1)
    old.remember(Proof("2026-11-27T09:00:00+00:00", 4.0))
    found = listing.listing(ops, shelf(ops))
    rows = found.sections[0].tables[0].rows
    assert [row[0] for row in rows] == [new.id, old.id]
    assert [(row[1], row[2], row[4], row[5]) for row in rows] == [
        ("24 h ago", "3", "0010", "not yet"),
        ("2 d ago", "3", "0010", "3 h ago"),
    ]
    assert found.findings == ()
    assert isinstance(found.data, dict)
    assert [each["restored_at"] for each in found.data["backups"]] == [None, "2026-11-27T09:00:00+00:00"]


def test_a_damaged_one_is_a_failure(tmp_path: Path) -> None:
    ops = world(tmp_path)
    whole, broken = put(ops, 2), put(ops, 1)
    damage(broken)
    found = listing.listing(ops, shelf(ops))
    assert [(each.level, broken.id in each.message) for each in found.findings] == [(Level.FAIL, True)]
    assert isinstance(found.data, dict)
    assert {each["id"]: each["damaged"] for each in found.data["backups"]} == {whole.id: False, broken.id: True}
    assert [each.level for each in listing.show(ops, shelf(ops), broken.id).findings] == [Level.FAIL]


def test_one_whose_verification_failed_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    ops = world(tmp_path)
    fine, failed = put(ops, 2), put(ops, 1)
    failed.refute(Refutation("2026-11-27T09:00:00+00:00", "The dump could not be restored: end of file."))
    found = listing.listing(ops, shelf(ops))
    assert [row[5] for row in found.sections[0].tables[0].rows] == ["failed 3 h ago", "not yet"]
    (finding,) = found.findings
    assert (finding.level, finding.message) == (
        Level.FAIL,
        f"The last verification of the backup {failed.id} failed: The dump could not be restored: end of file.",
    )
    assert isinstance(found.data, dict)
    assert {each["id"]: each["refuted_at"] for each in found.data["backups"]} == {
        fine.id: None,
        failed.id: "2026-11-27T09:00:00+00:00",
    }
    shown = listing.show(ops, shelf(ops), "latest")
    assert [each.message for each in shown.findings] == [finding.message]


def test_without_any_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    ops = world(tmp_path)
    found = listing.listing(ops, shelf(ops))
    assert found.sections[0].lines == ("There is no backup yet. Make one: tradebot backup",)
    assert found.sections[0].tables == ()


def test_one_is_shown_in_full(tmp_path: Path) -> None:
    ops = world(tmp_path)
    backup = put(ops, 1)
    remember(backup.folder, Copy("nas:/backups", NOON.isoformat(), apart=True))
    found = listing.show(ops, shelf(ops), "latest")
    facts = {row[0]: row[1] for row in found.sections[0].tables[0].rows}
    assert facts["project"] == "demo"
    assert facts["from"] == "tradebot 0.1.0, local engine, Postgres 18.6"
    assert facts["copy"].startswith("nas:/backups, read back")
    assert facts["proved to restore"] == "not yet"
    assert found.sections[1].tables[0].rows == (("public.job", "3"),)
    assert isinstance(found.data, dict)
    assert found.data["tables"] == {"public.job": 3}
