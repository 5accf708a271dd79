"""Workers whose clocks differ by hours: times, leases and turns are those of Postgres and Redis."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.common.database import Database
from services.common.heartbeats import heard
from services.common.ledger import Schedules, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import LEASE_S, Desk
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

HOUR_S = 3600
#: A delayed message may lie with the slow one: the sweeper sends it again five seconds after its time.
LATE_S = 15.0


def test_no_job_is_lost_doubled_early_or_much_too_late(
    desk: Desk, make_worker: MakeWorker, settings: Settings, tmp_path: Path
) -> None:
    workers = [make_worker(f"worker-{off}", CLOCK_OFF_S=str(off * HOUR_S)) for off in (-1, 0, 1)]
    clocks = [beat.at - time.time() for worker in workers if (beat := worker.heartbeat())]
    assert [round(off / HOUR_S) for off in clocks] == [-1, 0, 1]

    def mark(name: str) -> str:
        return str(tmp_path / f"{name}.mark")

    long = desk.submit("nap", seconds=3 * LEASE_S, mark=mark("long"))
    short = [desk.submit("nap", seconds=0.1, mark=mark(f"short-{number}")) for number in range(60)]
    flaky = [desk.submit("flaky", mark=mark(f"flaky-{number}")) for number in range(6)]
    due = datetime.now(UTC) + timedelta(seconds=6)
    later = [desk.ledger.submit("nap", {"mark": mark(f"later-{number}")}, not_before=due).job.id for number in range(6)]
    database = Database(settings, "test")
    database.open()
    schedules = Schedules(database)
    schedules.put("each-second", "noop", {}, cron="* * * * * *", zone="UTC", by="test")
    jobs = [long, *short, *flaky, *later]
    ended = [desk.wait_for(job) for job in jobs]
    assert {(job.state, job.kills) for job in ended} == {(State.SUCCEEDED, 0)}
    starts = Counter({path.stem: len(path.read_text().splitlines()) for path in tmp_path.glob("*.mark")})
    assert starts == {path: 3 if path.startswith("flaky") else 1 for path in starts}
    assert len(starts) == len(jobs)
    for job in ended[-len(later) :]:
        assert job.started_at is not None
        assert timedelta(0) <= job.started_at - due + timedelta(seconds=1) < timedelta(seconds=LATE_S)
    assert heard(redis_client(settings), 5.0) == sorted(worker.name for worker in workers)

    # Each second one, in order, by Postgres' clock.
    query = "SELECT not_before FROM job WHERE type = 'noop' ORDER BY not_before"
    times = [row["not_before"] for row in database.rows(query)]
    assert len(times) >= 6
    assert times == [times[0] + timedelta(seconds=number) for number in range(len(times))]
    assert abs((times[-1] - datetime.now(UTC)).total_seconds()) < 10
    schedules.remove("each-second")
    database.close()


@pytest.mark.parametrize("off", [-1, 1])
def test_the_job_of_a_killed_one_is_taken_over_in_time(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path, off: int
) -> None:
    mark = tmp_path / "starts"
    victim = make_worker("worker-1", CLOCK_OFF_S=str(off * HOUR_S))
    job_id = desk.submit("nap", seconds=1, mark=str(mark))
    until(mark.exists, "the job has begun")
    victim.kill()
    make_worker("worker-2", CLOCK_OFF_S=str(-off * HOUR_S))
    job = desk.wait_for(job_id, within_s=LEASE_S + 20)
    assert (job.state, job.worker, job.attempt, job.kills) == (State.SUCCEEDED, "worker-2", 1, 1)
