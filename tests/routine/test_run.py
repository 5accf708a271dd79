"""A routine says of each item what became of it, and leaves a person what is theirs."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.test_change import world
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.progress import ignore_progress
from tradebot_ops.routine import run
from tradebot_ops.routine.item import Item, Look, Routine
from tradebot_ops.routine.lists import ROUTINES
from tradebot_ops.routine.looks import NotAsked

PASS, WARN, FAIL, SKIP = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP


def done(*levels: Level, person: str = "") -> run.Done:
    seen = tuple(Finding(level, f"X-{number}", f"{level} was seen.") for number, level in enumerate(levels))
    return run.Done(Item("Look around", person=person, types=("tradebot status",) if person else ()), seen)


def report(*items: run.Done, strict: bool = False) -> Report:
    return run.report("daily", Routine("5 minutes", ()), items, strict=strict)


@pytest.mark.parametrize(
    ("levels", "strict", "code"),
    [
        ([PASS], True, 0),
        ([SKIP], True, 0),
        ([WARN], False, 0),
        ([WARN], True, 3),
        ([WARN, FAIL], True, 1),
        ([FAIL], False, 1),
        ([Level.ERROR], False, 1),
    ],
)
def test_the_exit_code(levels: list[Level], strict: bool, code: int) -> None:
    assert report(done(*levels), strict=strict).exit_code == code


def test_what_is_shown() -> None:
    made = report(done(PASS, PASS), done(PASS, WARN, SKIP), done(SKIP), done(person="Think."))
    head, found, skipped, person = made.sections
    assert head.title == "Daily, 5 minutes: 1 done, 1 found, 2 skipped."
    assert [row[0] for row in head.tables[0].rows] == ["done", "found", "skipped", "skipped"]
    assert [row[2] for row in head.tables[0].rows] == [
        "2 looks: nothing wrong",
        "2 looks: X-1 found something",
        "skip was seen.",
        "For a person alone.",
    ]
    assert found.lines == ("WARN  X-1  warn was seen.",)
    assert skipped.lines == ("X-2: skip was seen.", "X-0: skip was seen.")
    assert person.lines == ("- Look around: Think.", "    tradebot status")
    assert [each.id for each in made.findings] == ["X-1"]
    data: Any = made.data
    assert [each["state"] for each in data["items"]] == ["done", "found", "skipped", "skipped"]
    assert data["items"][3]["person"] == {"task": "Think.", "type": ["tradebot status"]}


def test_what_two_items_ask_is_told_once() -> None:
    assert len(report(done(FAIL), done(FAIL)).findings) == 1


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (NotRunning("It does not run.", code="TB-0510"), SKIP),
        (NotAsked("Nobody agreed.", code="TB-0929"), SKIP),
        (OpsError("It is damaged.", code="TB-0132"), FAIL),
    ],
)
def test_a_look_that_fails(error: OpsError, level: Level, tmp_path: Path) -> None:
    def ask(_: object) -> Report:
        raise error

    (found,) = run._look(world(tmp_path), Look("tradebot x", ask), ignore_progress)
    assert (found.level, found.id, found.message) == (level, error.code, error.message)


@pytest.mark.parametrize("name", ROUTINES)
def test_where_nothing_runs_every_item_has_its_row_and_nothing_is_changed(name: str, tmp_path: Path) -> None:
    ops = world(tmp_path, timeout="60")
    data: Any = run.routine(ops, name, ignore_progress).data
    assert [each["title"] for each in data["items"]] == [item.title for item in ROUTINES[name].items]
    assert AuditLog(ops.state.folder).read() == b""
    assert not ops.engine.list()
