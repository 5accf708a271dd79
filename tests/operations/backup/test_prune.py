"""Which backups go, what is asked before, and what a plan leaves alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.operations.backup.kit import damage, put, shelf, with_database, world
from tests.operations.seen import Made, made, refusal
from tradebot_ops.backups.shelf import Proof, Refutation
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import prune
from tradebot_ops.text.quantities import human_bytes


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    made = world(tmp_path)
    with_database(made)
    for days in (40, 30, 20, 10, 0):
        put(made, days)
    return made


def ids(ops: Ops) -> list[str]:
    return [each.id for each in shelf(ops).all()]


def never(sentence: str) -> None:
    pytest.fail(sentence)


def pruned(ops: Ops, keep: int | None = None, younger_than: str = "", *, dry_run: bool = False) -> Any:
    return prune.prune(ops, shelf(ops), keep, younger_than, lambda _: None, dry_run=dry_run).data


def test_all_but_the_newest_go_once_that_is_confirmed(ops: Ops) -> None:
    before, asked = ids(ops), list[str]()
    found: Any = prune.prune(ops, shelf(ops), 2, "", asked.append, dry_run=False)
    assert asked == ["This removes 3 backups of demo."]
    assert ids(ops) == before[-2:]
    assert found.data["removed"] == before[:3]
    assert found.data["bytes"] > 0
    assert found.sections[0].lines[0].startswith("Removed 3 backups (")


def test_who_says_no_loses_nothing(ops: Ops) -> None:
    before = ids(ops)

    def no(_: str) -> None:
        raise OpsError("Not confirmed.", code="TB-0201")

    with pytest.raises(OpsError):
        prune.prune(ops, shelf(ops), 1, "", no, dry_run=False)
    assert ids(ops) == before


def test_a_plan_removes_nothing_and_asks_nobody(ops: Ops) -> None:
    before = ids(ops)
    found: Any = prune.prune(ops, shelf(ops), 2, "", never, dry_run=True)
    assert (ids(ops), found.data["removed"], found.data["dry_run"]) == (before, before[:3], True)
    assert found.sections[0].lines[0].startswith("Would remove 3 backups")


def test_where_none_may_go_nobody_is_asked(ops: Ops) -> None:
    found = prune.prune(ops, shelf(ops), None, "", never, dry_run=False)
    assert found.sections[0].lines == ("No backup may go.",)


def test_seven_are_kept_where_nobody_says(ops: Ops) -> None:
    for days in (50, 60, 70):
        put(ops, days)
    assert len(pruned(ops)["removed"]) == 1


@pytest.mark.parametrize(("span", "left"), [("25d", 3), ("36000m", 3), ("15d", 2), ("1w", 1), ("960h", 4), ("", 1)])
def test_the_young_ones_stay(ops: Ops, span: str, left: int) -> None:
    pruned(ops, 1, span)
    assert len(ids(ops)) == left


def test_the_newest_that_was_restored_stays(ops: Ops) -> None:
    proved = shelf(ops).all()[1]
    proved.remember(Proof("2026-11-26T13:00:00+00:00", 1.0))
    newest = ids(ops)[-1]
    pruned(ops, 1)
    assert ids(ops) == [proved.id, newest]


def test_a_damaged_one_counts_as_none(ops: Ops) -> None:
    damage(shelf(ops).all()[-1])
    whole = ids(ops)[-2]
    assert whole not in pruned(ops, 1)["removed"]


@pytest.mark.parametrize("keep", [1, 2, 4])
def test_the_last_proved_one_stays_however_many_newer_ones_failed(ops: Ops, keep: int) -> None:
    """Also where those that failed were proved before: a disk rots."""
    proved, *newer = shelf(ops).all()
    proved.remember(Proof("2026-11-26T13:00:00+00:00", 1.0))
    for each in newer:
        each.remember(Proof("2026-11-26T14:00:00+00:00", 1.0))
        each.refute(Refutation("2026-11-26T15:00:00+00:00", "The dump is cut."))
    found = prune.prune(ops, shelf(ops), keep, "", lambda _: None, dry_run=False)
    assert proved.id in ids(ops)
    assert len(ids(ops)) == (1 if keep == 1 else 5), "what failed goes only once enough whole ones are there"
    named = [f"The last verification of the backup {each.id} failed: The dump is cut." for each in newer]
    assert list(found.warnings) == ([] if keep == 1 else named)


def test_the_one_that_was_just_made_stays_however_old_it_looks(ops: Ops) -> None:
    """The clock was set back while it was made."""
    oldest = ids(ops)[0]
    gone = prune.noted(ops, shelf(ops), 1, None, oldest)
    assert (ids(ops), len(gone)) == ([oldest], 4)


@pytest.mark.parametrize("text", ["soon", "-1d", "30"])
def test_what_is_no_time_span_is_refused_before_anything_goes(ops: Ops, text: str) -> None:
    before = ids(ops)
    with pytest.raises(OpsError) as caught:
        pruned(ops, 1, text)
    assert (caught.value.code, ids(ops)) == ("TB-0267", before)


def test_the_audit_log_has_it_only_where_something_goes(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object) -> None:
        pruned(ops, 2, dry_run=True)
        pruned(ops, 2)
        pruned(ops, 2)

    assert made(monkeypatch, act) == [Made(("backup prune",), heard=False)]


def test_what_is_no_time_span_says_how_to_write_one(ops: Ops) -> None:
    with pytest.raises(OpsError) as caught:
        pruned(ops, 1, "soon")
    assert refusal(caught.value) == ("TB-0267", "'soon' is no time span.", "Write hours, days or weeks: 30d")


def test_all_that_is_said_of_what_goes(ops: Ops) -> None:
    going = shelf(ops).all()[:3]
    freed, names = sum(each.size for each in going), ", ".join(each.id for each in going)
    assert freed > going[0].size
    for dry_run, verb in ((True, "Would remove"), (False, "Removed")):
        asked: list[str] = []
        report = prune.prune(ops, shelf(ops), 2, "", asked.append, dry_run=dry_run)
        assert report.sections[0].lines == (f"{verb} 3 backups ({human_bytes(freed)}): {names}.",)
        assert report.data == {"removed": [each.id for each in going], "bytes": freed, "dry_run": dry_run}
        assert asked == ([] if dry_run else ["This removes 3 backups of demo."])
        assert report.warnings == ()
    nothing = prune.prune(ops, shelf(ops), 2, "", never, dry_run=False)
    assert (nothing.sections[0].lines, nothing.data) == (
        ("No backup may go.",),
        {"removed": [], "bytes": 0, "dry_run": False},
    )


def test_of_those_that_failed_only_the_ones_that_stay_are_named(ops: Ops) -> None:
    oldest, *_, newest = shelf(ops).all()
    for each in (oldest, newest):
        each.refute(Refutation("2026-11-27T11:00:00+00:00", f"{each.id} is cut."))
    for dry_run in (True, False):
        report = prune.prune(ops, shelf(ops), 1, "5d", lambda _: None, dry_run=dry_run)
        assert isinstance(report.data, dict)
        assert oldest.id in report.data["removed"]
        assert report.warnings == (f"The last verification of the backup {newest.id} failed: {newest.id} is cut.",)


def test_what_went_is_what_is_told_though_more_was_announced(ops: Ops) -> None:
    """One may have been proved while somebody thought about it."""
    first, *_ = before = shelf(ops).all()
    size = sum(each.size for each in before[1:3])

    def confirm(_: str) -> None:
        first.remember(Proof("2026-11-27T11:30:00+00:00", 1.0))

    report = prune.prune(ops, shelf(ops), 2, "", confirm, dry_run=False)
    assert isinstance(report.data, dict)
    assert report.data["removed"] == [each.id for each in before[1:3]]
    assert report.data["bytes"] == size
    assert ids(ops) == [first.id, *(each.id for each in before[3:])]


def test_what_may_go_is_judged_by_age_and_clock(ops: Ops) -> None:
    now = ops.clock()
    everything = ids(ops)
    assert prune.clear(shelf(ops), 1, timedelta(days=25), now - timedelta(days=30)) == ()
    assert prune.clear(shelf(ops), 1, timedelta(days=25), now) == tuple(everything[:2])
    assert prune.clear(shelf(ops), 1, timedelta(days=25), now + timedelta(days=10)) == (everything[2],)
    assert ids(ops) == everything[3:]
    assert prune.noted(ops, shelf(ops), None, None) == ()


def test_a_clearing_that_fails_is_noted(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OpsError("The disk is read-only.", code="TB-0802")

    monkeypatch.setattr("tradebot_ops.backups.shelf.Shelf.remove", refuses)
    database: Any = ops.postgres
    with pytest.raises(OpsError, match="read-only"):
        pruned(ops, 1)
    assert any("clearing_failed" in params for _, text, params in database.asked if text.startswith("INSERT"))
