"""Backups are recent, proved and cleared away, or it is said that they are not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.backups.test_shelf import put
from tradebot_ops.backups.copies import Copy, remember
from tradebot_ops.backups.shelf import Proof, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.project import backups
from tradebot_ops.facts.project.backups import Copied, Copies, Shelved
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.operations.recovery import (
    MOST,
    copy_elsewhere,
    proved_restore,
    read_back,
    recent_backup,
    retention_ran,
)
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def shelf(taken: float | None = 1, proved: float | None = 1, damaged: tuple[str, ...] = (), count: int = 1) -> Shelved:
    """With backups of so many hours ago, the oldest first."""
    ids = [f"b{number}" for number in range(count)] if taken is not None else []
    return Shelved(
        {name: NOW - timedelta(hours=(taken or 0) + number) for number, name in reversed(list(enumerate(ids)))},
        {"b0": NOW - timedelta(hours=proved)} if proved is not None else {},
        damaged,
        "/backups",
        NOW,
    )


@pytest.mark.parametrize(
    ("found", "level"),
    [(shelf(26), Level.PASS), (shelf(26.1), Level.FAIL), (shelf(None), Level.FAIL), (shelf(-2), Level.PASS)],
)
def test_a_recent_one(found: Shelved, level: Level) -> None:
    assert recent_backup(found).level is level


def test_one_whose_verification_failed_is_named_and_is_none() -> None:
    found = replace(shelf(None, None), refuted=("b7",))
    assert recent_backup(found).message == "There is no backup that is fit for use."
    verdict = retention_ran(replace(shelf(), refuted=("b7",)))
    assert (verdict.level, verdict.message) == (Level.FAIL, "1 backup failed its last verification: b7.")


@pytest.mark.parametrize(
    ("found", "level"),
    [(shelf(proved=192), Level.PASS), (shelf(proved=193), Level.FAIL), (shelf(proved=None), Level.FAIL)],
)
def test_a_proof(found: Shelved, level: Level) -> None:
    assert proved_restore(found).level is level


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (shelf(count=MOST), Level.PASS),
        (shelf(count=MOST + 1), Level.FAIL),
        (shelf(damaged=("b9",)), Level.FAIL),
        (shelf(None), Level.PASS),
    ],
)
def test_retention(found: Shelved, level: Level) -> None:
    assert retention_ran(found).level is level


def test_they_are_read_from_the_folder(tmp_path: Path) -> None:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_BACKUPS": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    made = put(Shelf(tmp_path / "demo"))
    made.remember(Proof("2026-11-27T13:00:00+00:00", 0.5))
    (put(Shelf(tmp_path / "demo")).folder / "manifest.json").write_text("")
    found = backups.shelved(Ops(settings, StubEngine("demo")))
    assert list(found.taken) == list(found.proved) == [made.id]
    assert found.damaged == (f"{made.id}-2",)


def copied(taken: float = 1, read: float = 1, *, apart: bool = True, gone: bool = False) -> Copied:
    """A copy of a backup of so many days ago, read back so many days ago."""
    at = (NOW - timedelta(days=read)).isoformat()
    return Copied("b0", NOW - timedelta(days=taken), Copy("/mnt/usb/demo/b0", at, apart), gone)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        ([], Level.FAIL),
        ([copied(8)], Level.PASS),
        ([copied(8.1)], Level.FAIL),
        ([copied(apart=False)], Level.FAIL),
        ([copied(gone=True)], Level.FAIL),
        ([copied(0, apart=False), copied(0, gone=True), copied(3)], Level.PASS),
        ([copied(3), copied(30)], Level.PASS),
    ],
)
def test_a_copy_elsewhere(found: list[Copied], level: Level) -> None:
    assert copy_elsewhere(Copies(tuple(found), NOW)).level is level


@pytest.mark.parametrize(
    ("found", "level"),
    [
        ([], Level.FAIL),
        ([copied(apart=False)], Level.FAIL),
        ([copied(read=31)], Level.PASS),
        ([copied(), copied(read=31.1)], Level.FAIL),
        ([copied(), copied(read=60, gone=True), copied(read=60, apart=False)], Level.PASS),
    ],
)
def test_copies_are_read_back(found: list[Copied], level: Level) -> None:
    assert read_back(Copies(tuple(found), NOW)).level is level


def test_what_to_type_names_the_place_that_was_named() -> None:
    assert read_back(Copies((copied(read=60),), NOW)).hint == "tradebot backup copy b0 /mnt/usb"


def test_copies_are_believed_until_their_place_shows_otherwise(tmp_path: Path) -> None:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_BACKUPS": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    made = put(Shelf(tmp_path / "demo"))
    there = put(Shelf(tmp_path / "usb" / "demo"))
    at = NOW.isoformat()
    for place in (str(there.folder), str(tmp_path / "usb/demo/gone"), "/not/mounted/demo/x", "nas:/srv/demo/x"):
        remember(made.folder, Copy(place, at, apart=True))
    found = backups.copies(Ops(settings, StubEngine("demo"), clock=lambda: NOW))
    assert {each.copy.place: each.gone for each in found.found} == {
        str(there.folder): False,
        str(tmp_path / "usb/demo/gone"): True,
        "/not/mounted/demo/x": False,
        "nas:/srv/demo/x": False,
    }
    assert {each.taken for each in found.found} == {made.at}
