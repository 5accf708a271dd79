"""Schedules on a real Postgres: each time makes one job, whoever asks and however many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.common.database import Database
from services.common.jobtypes import Wish
from services.common.ledger import Ledger, Queues, Schedule, Schedules, UnstorableValue
from services.common.ledger.cron import BadCron

pytestmark = pytest.mark.integration

TICKS = 100


@pytest.fixture
def schedules(database: Database) -> Schedules:
    return Schedules(database)


def minutely(schedules: Schedules, name: str = "each-minute") -> Schedule:
    return schedules.put(name, "canary", {"n": 1}, cron="* * * * *", zone="UTC", by="anna")


def found(schedules: Schedules) -> Schedule:
    (schedule,) = schedules.listed()
    return schedule


def times(database: Database) -> list[datetime]:
    return [row["not_before"] for row in database.rows("SELECT not_before FROM job ORDER BY not_before")]


def test_three_workers_a_hundred_times_none_missed_and_none_doubled(database: Database, schedules: Schedules) -> None:
    first = minutely(schedules).next_at
    assert first
    with ThreadPoolExecutor(3) as workers:
        for half_minute in range(2 * TICKS):
            now = first + timedelta(seconds=30 * half_minute)
            list(workers.map(lambda _, now=now: schedules.make_due(now=now), range(3)))
    assert times(database) == [first + timedelta(minutes=tick) for tick in range(TICKS)]
    assert (found(schedules).missed, found(schedules).next_at) == (0, first + timedelta(minutes=TICKS))


def test_its_job_is_as_if_it_had_been_submitted(database: Database, schedules: Schedules) -> None:
    schedule = minutely(schedules)
    assert schedule.next_at
    assert schedules.make_due(now=schedule.next_at) == 1
    job_id = found(schedules).last_job
    assert job_id
    job = Ledger(database).get(job_id)
    assert job
    assert (job.type, job.payload, job.not_before) == ("canary", {"n": 1}, schedule.next_at)
    assert [event.by for event in Ledger(database).events(job_id)] == ["schedule each-minute"]


@pytest.mark.parametrize("wish", ["end", "dead", None])
def test_each_of_its_jobs_carries_its_wish_for_news(
    database: Database, schedules: Schedules, wish: Wish | None
) -> None:
    def put(notify: Wish | None) -> Schedule:
        return schedules.put("s", "canary", {}, cron="* * * * *", zone="UTC", by="anna", notify=notify)

    put("end" if wish is None else None)  # what is made again says what counts
    first = put(wish).next_at
    assert first
    assert schedules.make_due(now=first + timedelta(minutes=1)) == 2
    assert found(schedules).notify == wish
    wishes = database.rows("SELECT wish FROM job LEFT JOIN job_notice ON job_id = id")
    assert [row["wish"] for row in wishes] == [wish, wish]


def test_made_again_it_makes_no_job_twice_for_one_time(database: Database, schedules: Schedules) -> None:
    first = minutely(schedules).next_at
    assert first
    schedules.make_due(now=first)
    assert schedules.remove("each-minute")
    database.execute("UPDATE schedule SET next_at = %(first)s", {"first": first})
    minutely(schedules)
    database.execute("UPDATE schedule SET next_at = %(first)s", {"first": first})
    assert schedules.make_due(now=first) == 0
    assert times(database) == [first]


def test_paused_it_makes_none_and_goes_on_with_the_next_time(database: Database, schedules: Schedules) -> None:
    first = minutely(schedules).next_at
    assert first
    assert schedules.pause("each-minute", paused=True, by="anna")
    assert schedules.make_due(now=first + timedelta(hours=1)) == 0
    resumed = schedules.pause("each-minute", paused=False, by="anna")
    assert resumed
    assert resumed.next_at
    assert abs((resumed.next_at - datetime.now(UTC)).total_seconds()) <= 60
    assert (schedules.pause("other", paused=True, by="anna"), schedules.remove("other")) == (None, False)


def test_a_closed_type_gets_no_jobs_and_what_was_missed_is_counted(database: Database, schedules: Schedules) -> None:
    first = minutely(schedules).next_at
    assert first
    Queues(database).set("canary", closed=True, by="anna")
    assert schedules.make_due(now=first) == 0
    assert (found(schedules).missed, found(schedules).last_at) == (1, None)


def test_one_that_is_not_understood_here_keeps_no_other_from_its_times(
    database: Database, schedules: Schedules
) -> None:
    minutely(schedules, "foreign")
    first = minutely(schedules).next_at
    assert first
    database.execute("UPDATE schedule SET zone = 'Mars/Olympus' WHERE name = 'foreign'")
    assert schedules.make_due(now=first) == 1
    assert times(database) == [first]


def test_what_cannot_be_kept_is_refused(database: Database, schedules: Schedules) -> None:
    with pytest.raises(BadCron):
        schedules.put("s", "canary", {}, cron="nonsense", zone="UTC", by="anna")
    with pytest.raises(UnstorableValue):
        schedules.put("s", "canary", {"x": float("nan")}, cron="* * * * *", zone="UTC", by="anna")
    assert schedules.listed() == []
