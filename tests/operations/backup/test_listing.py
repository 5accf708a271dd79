"""The list of backups: the newest first, a damaged one a failure, and one in full."""

from dataclasses import asdict, replace
from pathlib import Path

from tests.backups.test_manifest import FIGURES, MANIFEST
from tests.operations.backup.kit import NOON, damage, put, shelf, world
from tradebot_ops.backups.copies import Copy, remember
from tradebot_ops.backups.manifest import TableFigures
from tradebot_ops.backups.shelf import Backup, Proof, Refutation
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


def document(backup: Backup, **others: object) -> dict[str, object]:
    """What is known of one that nothing happened to, and whose manifest cannot be read."""
    return {
        "id": backup.id,
        "folder": str(backup.folder),
        "bytes": backup.size,
        "damaged": True,
        "copies": [],
        "restored_at": None,
        "restore_seconds": None,
        "refuted_at": None,
        "refuted_because": None,
        **others,
    }


def test_all_that_is_said_of_each(tmp_path: Path) -> None:
    ops = world(tmp_path)
    proved, plain, failed, broken = (put(ops, days) for days in (4, 3, 2, 1))
    proved.remember(Proof("2026-11-27T09:00:00+00:00", 4.0))
    copied = Copy("nas:/backups", "2026-11-27T10:00:00+00:00", apart=True)
    remember(proved.folder, copied)
    failed.refute(Refutation("2026-11-27T11:00:00+00:00", "The dump is cut."))
    damage(broken)
    found = listing.listing(ops, shelf(ops))
    table = found.sections[0].tables[0]
    assert found.sections[0].lines == (f"In {shelf(ops).folder}.",)
    assert table.columns == ("id", "taken", "rows", "size", "schema", "proved to restore")
    assert table.rows == (
        (broken.id, "", "", f"{broken.size} B", "", "damaged"),
        (failed.id, "2 d ago", "3", f"{failed.size} B", "0010", "failed 60 min ago"),
        (plain.id, "3 d ago", "3", f"{plain.size} B", "0010", "not yet"),
        (proved.id, "4 d ago", "3", f"{proved.size} B", "0010", "3 h ago"),
    )
    assert [(each.level, each.id, each.hint) for each in found.findings] == [
        (Level.FAIL, "backup.damaged", f"rm -r {broken.folder}"),
        (
            Level.FAIL,
            "backup.refuted",
            f"tradebot backup; verify this one again: tradebot backup verify {failed.id}",
        ),
    ]
    assert found.findings[0].message.startswith(f"The backup {broken.id} is damaged: ")
    assert found.findings[1].message == f"The last verification of the backup {failed.id} failed: The dump is cut."
    known = {"damaged": False, "project": "demo", "rows": 3, "schema_revision": "0010", "postgres": "18.6"}
    refuted = {"refuted_at": "2026-11-27T11:00:00+00:00", "refuted_because": "The dump is cut."}
    assert found.data == {
        "folder": str(shelf(ops).folder),
        "backups": [
            document(broken),
            document(failed, **known, **refuted, taken_at="2026-11-25T12:00:00+00:00"),
            document(plain, **known, taken_at="2026-11-24T12:00:00+00:00"),
            document(
                proved,
                **known,
                taken_at="2026-11-23T12:00:00+00:00",
                copies=[asdict(copied)],
                restored_at="2026-11-27T09:00:00+00:00",
                restore_seconds=4.0,
            ),
        ],
    }
    assert listing.show(ops, shelf(ops), broken.id).data == document(broken)
    assert listing.show(ops, shelf(ops), failed.id).findings == found.findings[1:]


def test_all_that_is_said_of_one(tmp_path: Path) -> None:
    ops = world(tmp_path)
    figures = replace(FIGURES, tables={**FIGURES.tables, "public.candle": TableFigures(7, "1")})
    backup = put(ops, 1, replace(MANIFEST, revision="", database=figures))
    backup.remember(Proof("2026-11-27T09:00:00+00:00", 4.0))
    for place, hour in (("nas:/backups", 10), ("/mnt/usb", 11)):
        remember(backup.folder, Copy(place, f"2026-11-27T{hour}:00:00+00:00", apart=True))
    found = listing.show(ops, shelf(ops), "latest")
    facts, tables = found.sections
    assert (facts.title, [table.columns for table in facts.tables]) == ("", [("", "")])
    assert facts.tables[0].rows == (
        ("project", "demo"),
        ("taken", "2026-11-26T12:00:00+00:00 (24 h ago), by ana@host"),
        ("from", "tradebot 0.1.0, local engine, Postgres 18.6"),
        ("schema", "never migrated"),
        ("size", f"{backup.size} B"),
        ("proved to restore", "3 h ago"),
        ("copy", "nas:/backups, read back 2 h ago"),
        ("copy", "/mnt/usb, read back 60 min ago"),
        ("folder", str(backup.folder)),
    )
    assert (tables.title, tables.tables[0].columns) == ("Tables", ("table", "rows"))
    assert tables.tables[0].rows == (("public.candle", "7"), ("public.job", "3"))
    assert found.findings == ()
    assert isinstance(found.data, dict)
    assert (found.data["tables"], found.data["rows"]) == ({"public.candle": 7, "public.job": 3}, 10)


def test_one_that_failed_at_a_moment_nobody_can_read_failed_all_the_same(tmp_path: Path) -> None:
    ops = world(tmp_path)
    put(ops).refute(Refutation(None, "The dump is cut."))
    found = listing.listing(ops, shelf(ops))
    assert found.sections[0].tables[0].rows[0][5] == "failed"
    assert isinstance(found.data, dict)
    (document,) = found.data["backups"]
    assert (document["refuted_at"], document["refuted_because"]) == (None, "The dump is cut.")
