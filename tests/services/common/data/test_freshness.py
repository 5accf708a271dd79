"""What should be there by now, of which schedule, and what never was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.data.freshness import Fresh, judged

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOUR = 3600.0


def row(**more: Any) -> dict[str, Any]:
    return {
        "schedule": "hourly", "symbol": "A", "interval": "1h", "cron": "0 * * * *", "zone": "UTC", "step_s": HOUR,
        "next_at": NOW + timedelta(hours=1), "last_at": NOW, "newest": NOW.timestamp() - HOUR, **more,
    }  # fmt: skip


def hours(each: Fresh) -> tuple[float, float]:
    """When the newest bar ends, and when it should at least, in hours from now."""
    return (each.newest - NOW.timestamp()) / HOUR, (each.expected - NOW.timestamp()) / HOUR


@pytest.mark.parametrize(
    ("begins_h", "stale"),
    [(-1, False), (-2, False), (-2.01, True), (-3, True)],
    ids=["all that there is", "the last one late", "more than one late", "two late"],
)
def test_one_bar_may_come_late(begins_h: float, stale: bool) -> None:
    (each,) = judged([row(newest=NOW.timestamp() + begins_h * HOUR)], NOW)
    assert (each.newest < each.expected) is stale
    assert hours(each) == pytest.approx((begins_h + 1, -1))


def test_a_time_that_no_worker_was_there_for_counts() -> None:
    (each,) = judged([row(next_at=NOW - timedelta(hours=2.5), last_at=NOW - timedelta(hours=3.5))], NOW)
    assert hours(each)[1] == -2, "the newest time before now is 11:00"


def test_times_while_it_was_paused_do_not_count() -> None:
    (each,) = judged([row(last_at=NOW - timedelta(hours=9))], NOW)
    assert hours(each)[1] == -10


def test_before_its_first_time_nothing_is_expected() -> None:
    assert judged([row(last_at=None)], NOW) == []
    (each,) = judged([row(last_at=None, next_at=NOW - timedelta(minutes=1), newest=None)], NOW)
    assert each.newest == 0.0


def test_the_last_time_of_one_that_has_no_further_counts() -> None:
    (each,) = judged([row(next_at=None)], NOW)
    assert hours(each)[1] == -1


def test_of_two_schedules_the_one_counts_that_expects_more() -> None:
    rows = [row(), row(last_at=NOW - timedelta(hours=5)), row(interval="1d")]
    assert [(each.interval, hours(each)[1]) for each in judged(rows, NOW)] == [("1h", -1), ("1d", -1)]
    assert judged(rows[::-1][1:], NOW) == judged(rows[:1], NOW)


def test_an_expression_that_cannot_be_read_any_more_harms_no_other() -> None:
    overdue = NOW - timedelta(hours=1)
    assert len(judged([row(cron="x", next_at=overdue), row(symbol="B")], NOW)) == 1
