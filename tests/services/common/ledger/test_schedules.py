"""Which times of a schedule get a job, after whatever pause."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from services.common.ledger.schedules import LATE_S, MOST, Schedule, _submit, turn

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
EACH_MINUTE, EACH_SECOND = "* * * * *", "* * * * * *"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_time_that_has_come() -> None:
    found = turn(EACH_MINUTE, "UTC", NOON, at(1), at(4))
    assert (found.times, found.missed, found.next_at) == ((NOON,), 0, at(60))


def test_a_time_that_is_about_to_come() -> None:
    assert turn(EACH_MINUTE, "UTC", at(60), at(58), at(61)).times == (at(60),)


def test_times_of_the_last_minute_are_made_up_for() -> None:
    found = turn(EACH_SECOND, "UTC", NOON, at(50), at(50))
    assert (len(found.times), found.missed, found.next_at) == (51, 0, at(51))


def test_after_a_long_pause_one_job_stands_for_all() -> None:
    found = turn("0 * * * *", "UTC", NOON, at(5 * 3600 + 1800), at(5 * 3600 + 1800))
    assert (found.times, found.missed, found.next_at) == ((at(5 * 3600),), 5, at(6 * 3600))


def test_after_a_long_pause_those_of_the_last_minute_run_and_no_older_one() -> None:
    found = turn(EACH_MINUTE, "UTC", NOON, at(3600), at(3600))
    assert (found.times, found.missed, found.next_at) == ((at(3540), at(3600)), 59, at(3660))


def test_a_month_of_seconds_is_passed_over_at_once() -> None:
    month = 30 * 86400
    found = turn(EACH_SECOND, "UTC", NOON, at(month), at(month))
    assert (found.times[0], found.times[-1], found.missed) == (at(month - LATE_S), at(month), MOST)


@given(
    st.lists(st.floats(0.1, 50), min_size=1, max_size=40), st.sampled_from([EACH_MINUTE, EACH_SECOND, "*/7 * * * *"])
)
def test_turns_that_come_in_time_leave_no_time_out_and_take_none_twice(waits: list[float], cron: str) -> None:
    now, first = NOON, NOON
    taken: list[datetime] = []
    for wait in waits:
        now += timedelta(seconds=wait)
        while first <= now:
            found = turn(cron, "UTC", first, now, now)
            assert found.next_at is not None
            taken += found.times
            assert found.missed == 0
            first = found.next_at
    step = {EACH_MINUTE: 60, EACH_SECOND: 1, "*/7 * * * *": 420}[cron]
    expected = [at(offset) for offset in range(0, int((now - NOON).total_seconds()) + 1, step) if offset < 3360]
    assert [time for time in taken if time < at(3360)] == expected


class Connection:
    """Keeps the keys of the jobs that it is to make; no job is made."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def execute(self, _query: object, params: dict[str, str]) -> "Connection":
        self.keys.append(params["key"])
        return self

    def fetchone(self) -> None:
        return None


def test_each_time_of_each_schedule_has_a_key_of_its_own_and_always_the_same() -> None:
    """By it a time makes one job, whoever asks and however often."""
    connection = Connection()
    for name in ("a", "b", "a"):
        made = Schedule(
            name, "noop", 1, {}, 3, EACH_MINUTE, "UTC", False, "ana", NOON, NOON, None, None, 0, None
        )  # fmt: skip
        for time in (NOON, at(60)):
            _submit(cast("Any", connection), made, time)
    assert len(set(connection.keys)) == 4
    assert connection.keys[:2] == connection.keys[4:]
