"""What is noted of backups: the newest whole one, the last proof, and a clearing that failed until one works."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.operations.backup.kit import GONE, NOON, Database, damage, put, shelf, with_database, world
from tradebot_ops.backups.shelf import REFUTED, Proof, Refutation
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import noting

PROVED = "2026-11-26T13:00:00+00:00"


def noted(database: Database) -> dict[str, Any]:
    """What stands in the table afterwards; None for what was forgotten."""
    found = {}
    for _, text, params in database.asked:
        if text.startswith("INSERT INTO public.backup_note"):
            found[params[0]] = params[1]
        if text.startswith("DELETE FROM public.backup_note"):
            found[params[0]] = None
    return found


def test_the_newest_whole_one_and_the_last_proof_are_noted(tmp_path: Path) -> None:
    ops = world(tmp_path)
    oldest, older, newest = put(ops, 3), put(ops, 2), put(ops, 1)
    oldest.remember(Proof(PROVED, 1.0))
    older.remember(Proof("2026-11-25T13:00:00+00:00", 1.0))
    damage(put(ops, 0))
    database = with_database(ops)
    assert noting.note(ops, shelf(ops)) == ()
    moments = noted(database)
    assert (moments["taken"], moments["proved"].isoformat()) == (newest.at, PROVED)


def test_one_that_could_not_be_read_counts_neither_as_taken_nor_as_proved(tmp_path: Path) -> None:
    ops = world(tmp_path)
    older, newest = put(ops, 2), put(ops, 1)
    newest.remember(Proof(PROVED, 1.0))
    database = with_database(ops)
    newest.refute(Refutation(PROVED, "The dump is cut."))
    noting.note(ops, shelf(ops))
    assert noted(database) == {"taken": older.at, "proved": None, "refuted": datetime.fromisoformat(PROVED)}


def test_the_last_that_failed_is_noted_and_forgotten_once_it_is_proved(tmp_path: Path) -> None:
    ops = world(tmp_path)
    early, late, unread = put(ops, 3), put(ops, 2), put(ops, 0)
    early.refute(Refutation(PROVED, "The dump is cut."))
    late.refute(Refutation("2026-11-26T12:00:00+00:00", "The dump is cut."))
    database = with_database(ops)
    noting.note(ops, shelf(ops))
    assert noted(database)["refuted"] == datetime.fromisoformat(PROVED), "the last verification, not the newest backup"
    for edited in ("{", '{"at": "soon", "why": "Cut."}', '{"at": "2026-11-27T13:00:00", "why": "Cut."}'):
        (unread.folder / REFUTED).write_text(edited)
        noting.note(ops, shelf(ops))
        assert noted(database)["refuted"] == unread.at, "what says no moment counts from the backup on"
    for each in (early, late, unread):
        each.remember(Proof(PROVED, 1.0))
    noting.note(ops, shelf(ops))
    assert noted(database)["refuted"] is None


def test_where_nothing_is_left_both_are_forgotten(tmp_path: Path) -> None:
    ops = world(tmp_path)
    database = with_database(ops)
    assert noting.note(ops, shelf(ops)) == ()
    assert noted(database) == {"taken": None, "proved": None, "refuted": None}


def test_a_schema_from_before_has_no_notes(tmp_path: Path) -> None:
    ops = world(tmp_path)
    database = with_database(ops, **{"SELECT to_regclass('public.backup_note')": [{"has": False}]})
    assert noting.note(ops, shelf(ops)) == ()
    assert noted(database) == {}


def test_a_database_that_does_not_answer_is_a_warning(tmp_path: Path) -> None:
    ops = world(tmp_path)
    with_database(ops, **{"SELECT to_regclass('public.backup_note')": GONE})
    (warning,) = noting.note(ops, shelf(ops))
    assert warning.endswith("could not be brought up to date: Postgres does not answer.")


def test_a_clearing_that_fails_is_noted_until_one_works(tmp_path: Path) -> None:
    ops = world(tmp_path)
    database = with_database(ops)
    with pytest.raises(OpsError, match=r"The disk is read-only\."), noting.clearing(ops):
        raise OpsError("The disk is read-only.", code="TB-0802")
    assert noted(database) == {"clearing_failed": NOON}
    with noting.clearing(ops):
        assert noted(database) == {"clearing_failed": NOON}
    assert noted(database) == {"clearing_failed": None}
