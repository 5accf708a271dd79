"""Old backups go, and never the last one that is known to restore."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.backups.retention import Kept, expendable

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def kept(day: int, *, restorable: bool = False, whole: bool = True) -> Kept:
    return Kept(f"b{day}", NOW - timedelta(days=30 - day), restorable, whole)


@pytest.mark.parametrize(
    ("backups", "keep", "gone"),
    [
        ([], 2, ()),
        ([kept(1), kept(2)], 2, ()),
        ([kept(1), kept(2), kept(3)], 2, ("b1",)),
        ([kept(1), kept(2), kept(3)], 1, ("b1", "b2")),
        ([kept(1, restorable=True), kept(2), kept(3)], 1, ("b2",)),
        ([kept(1, restorable=True), kept(2, restorable=True), kept(3)], 1, ("b1",)),
        ([kept(1), kept(2, whole=False), kept(3, whole=False)], 1, ("b2", "b3")),
        ([kept(1), kept(2, whole=False)], 2, ()),
        ([kept(1), kept(2)], 0, ("b1",)),
    ],
)
def test_what_goes(backups: list[Kept], keep: int, gone: tuple[str, ...]) -> None:
    assert expendable(backups, keep, None, NOW) == gone


def test_the_one_just_made_stays_whatever_its_date() -> None:
    backups = [kept(1), kept(2), kept(3)]
    assert expendable(backups, 2, None, NOW, "b1") == ("b2",)
    assert expendable(backups, 1, None, NOW, "b1") == ("b2", "b3")


def test_the_young_stay() -> None:
    assert expendable([kept(1), kept(28), kept(29)], 1, timedelta(days=7), NOW) == ("b1",)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), unique_by=lambda each: each[0]))
def test_a_whole_one_always_stays_and_one_that_restores(days: list[tuple[int, bool, bool]]) -> None:
    backups = [kept(day, restorable=proved and whole, whole=whole) for day, proved, whole in sorted(days)]
    left = [each for each in backups if each.id not in expendable(backups, 3, None, NOW)]
    assert sum(each.whole for each in left) >= min(3, sum(each.whole for each in backups))
    assert any(each.restorable for each in left) == any(each.restorable for each in backups)
