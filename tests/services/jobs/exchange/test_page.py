"""A page is judged: what is wrong is rejected with its cells, what is missing is shown, what is not over is left."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.jobs.exchange.client import Row
from services.jobs.exchange.page import Asked, Page, judged
from services.jobs.market.rejects import Rejects
from tests.services.jobs.exchange.fake import HOUR_MS, START, bar

BEGIN = int(START.timestamp())
NOW = START + timedelta(hours=10)


def rows(*numbers: float) -> list[Row]:
    return [[bar(0)[0] + int(number * HOUR_MS), 100.0, 102.0, 99.0, 101.0, 12.5] for number in numbers]


def page(of: list[Row], now: datetime = NOW, **asked: Any) -> Page:
    return judged(of, Asked("BINANCE:BTC/USDT", "1h", **{"since": BEGIN, **asked}), now)


def hours(found: Page) -> list[float]:
    return [(moment.timestamp() - BEGIN) / 3600 for moment in found.checked.good["day"]]


def reasons(found: Page) -> list[str]:
    rejects = Rejects()
    rejects.add(found.checked.bad, found.piece)
    return [each.reason for each in rejects.rows]


def flags(found: Page) -> list[tuple[str, str, str]]:
    return [(flag.kind, flag.day, flag.detail) for flag in found.checked.flags]


def test_sound_bars_are_stored_and_the_one_that_is_not_over_is_left() -> None:
    found = page(rows(*range(11)))
    assert hours(found) == list(range(10))
    assert (reasons(found), flags(found), found.newest) == ([], [], BEGIN + 9 * 3600)
    assert len(found.piece.frame) == 10


def test_the_bar_that_is_known_is_left_unless_it_is_stored_anew() -> None:
    assert hours(page(rows(0, 1, 2), after=BEGIN)) == [1, 2]
    assert hours(page(rows(0, 1, 2), after=BEGIN, anew=True)) == [0, 1, 2]


def test_of_doubles_the_later_counts() -> None:
    double = rows(1)[0]
    found = page([*rows(0, 1), [*double[:4], 100.5, 1.0], *rows(2)])
    assert hours(found) == [0, 1, 2]
    assert found.checked.good["close"].tolist() == [101.0, 100.5, 101.0]
    assert reasons(found) == ["duplicate: a later line has the same symbol and day: day 2024-01-01T01:00:00Z"]


def test_bars_are_put_in_order_which_is_shown() -> None:
    found = page(rows(0, 3, 1, 2, 4))
    assert hours(found) == [0, 1, 2, 3, 4]
    assert flags(found) == [("disorder", "2024-01-01T00:00:00", "1 bar out of order")]


def test_newest_first_is_an_order() -> None:
    found = page(rows(3, 2, 1, 0))
    assert (hours(found), flags(found)) == ([0, 1, 2, 3], [])


def test_what_nobody_asked_for_and_what_is_off_its_times_is_rejected() -> None:
    found = page(rows(-2, 0, 0.5, 1))
    assert hours(found) == [0, 1]
    assert reasons(found) == [
        "bar from before the time that was asked for: day 2023-12-31T22:00:00Z",
        "bar does not begin at a time of its interval: day 2024-01-01T00:30:00Z",
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([100.0, 98.0, 97.0, 101.0, 1.0], "high is below open: high 98.0, open 100.0"),
        ([100.0, 102.0, 100.5, 101.0, 1.0], "low is above open: low 100.5, open 100.0"),
        ([100.0, 102.0, 99.0, None, 1.0], "close is empty or no number: close empty"),
        ([0.0, 102.0, 99.0, 101.0, 1.0], "open is not positive: open 0.0"),
        ([100.0, 102.0, 99.0, 101.0, -1.0], "volume is negative: volume -1.0"),
    ],
)
def test_what_cannot_be_true_is_rejected_as_in_files(row: list[float | None], reason: str) -> None:
    found = page([*rows(0), [rows(1)[0][0], *row], *rows(2)])
    assert (hours(found), reasons(found)) == ([0, 2], [reason])


def test_a_bar_without_a_time_is_rejected() -> None:
    found = page([*rows(0), [None, 100.0, 102.0, 99.0, 101.0, 1.0]])
    assert hours(found) == [0]
    assert reasons(found) == ["date is empty or no date: day empty"]


def test_each_gap_is_shown_the_one_after_what_is_known_too() -> None:
    found = page(rows(3, 4, 6), since=BEGIN, after=BEGIN)
    assert flags(found) == [
        ("gap", "2024-01-01T01:00:00", "2 bars missing"),
        ("gap", "2024-01-01T05:00:00", "1 bar missing"),
    ]


def test_a_page_without_a_sound_bar_goes_on_behind_it() -> None:
    found = page([[rows(0)[0][0], 100.0, 1.0, 99.0, 101.0, 1.0]])
    assert (hours(found), found.newest) == ([], BEGIN)
    assert page(rows(10)).newest is None


def test_days_are_judged_without_weekends() -> None:
    of: list[Row] = [[(bar(0)[0] or 0) + day * 24 * HOUR_MS, 100.0, 102.0, 99.0, 101.0, 1.0] for day in (0, 1, 4)]
    found = judged(of, Asked("X", "1d", BEGIN), START + timedelta(days=9))
    assert [flag for flag in flags(found) if flag[0] == "gap"] == [("gap", "2024-01-03T00:00:00", "2 bars missing")]
