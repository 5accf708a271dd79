"""Times of cron expressions: what every cron does, and what a change of the clocks does to it."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from services.common.ledger.cron import BadCron, first_after, last_before, times_after

FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def test_the_next_working_day() -> None:
    assert first_after("30 6 * * MON-FRI", "UTC", FRIDAY) == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)


def test_in_its_zone() -> None:
    assert first_after("30 6 * * *", "America/New_York", FRIDAY) == datetime(2026, 11, 28, 11, 30, tzinfo=UTC)


def test_seconds_in_front() -> None:
    assert first_after("*/10 * * * * *", "UTC", FRIDAY) == FRIDAY.replace(second=10)


def test_the_newest_time_before() -> None:
    assert last_before("0 * * * *", "UTC", FRIDAY.replace(minute=30)) == FRIDAY


def test_a_time_that_the_clocks_leave_out_or_repeat_comes_once() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert list(islice(times_after("30 2 * * *", "Europe/Zurich", spring), 2)) == [
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    days = [time.astimezone(UTC).date().day for time in islice(times_after("30 2 * * *", "Europe/Zurich", autumn), 2)]
    assert days == [25, 26]


@pytest.mark.parametrize("expression", ["", "x", "60 * * * *", "0 0 31 2 *", "* * * *", "@daily", "\x00 * * * *"])
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(BadCron, match="is not a cron expression"):
        first_after(expression, "UTC", FRIDAY)


@pytest.mark.parametrize("zone", ["", "Europe/Nowhere", "../etc/passwd", "\x00", "Europe"])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(BadCron, match="is not a time zone"):
        first_after("* * * * *", zone, FRIDAY)
