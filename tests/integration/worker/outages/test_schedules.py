"""A schedule with three real workers, one of which is killed: none of a hundred times missed, none doubled."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from services.common.database import Database
from services.common.ledger import Schedules, State
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

TICKS = 100
#: Of these times so many lie behind us: they are made up for, by whichever worker is the first.
PAST_S = 55


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings, "test")) as database:
        database.open()
        yield database


def test_each_of_a_hundred_times_makes_one_job_which_runs_once(
    desk: Desk, make_worker: MakeWorker, database: Database
) -> None:
    schedules = Schedules(database)
    schedules.put("each-second", "noop", {}, cron="* * * * * *", zone="UTC", by="test")
    query = "UPDATE schedule SET next_at = date_trunc('second', now()) - make_interval(secs => %(s)s)"
    database.execute(query, {"s": PAST_S})
    workers = [make_worker(f"worker-{number}") for number in (1, 2, 3)]

    def made() -> int:
        row = database.row("SELECT count(*) AS jobs FROM job")
        return int(row["jobs"]) if row else 0

    until(lambda: made() >= PAST_S + 10, "the times that passed are made up for, and others have come", 60)
    workers[0].kill()
    until(lambda: made() >= TICKS, "a hundred times have come", 120)
    schedules.remove("each-second")
    times = [row["not_before"] for row in database.rows("SELECT not_before FROM job ORDER BY not_before")]
    assert times == [times[0] + timedelta(seconds=number) for number in range(len(times))]
    jobs, _ = desk.ledger.list_jobs(limit=1000)
    assert {desk.wait_for(job.id).state for job in jobs} == {State.SUCCEEDED}
    # One that was lost with its worker begins twice, and ends once.
    moves = [[event.state for event in desk.ledger.events(job.id)] for job in jobs]
    assert {states.count(State.SUCCEEDED) for states in moves} == {1}
    assert sum(states.count(State.RUNNING) > 1 for states in moves) <= 2
