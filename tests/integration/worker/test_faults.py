"""Workers, Redis and Postgres that die: no job lost, none done twice, nothing left behind."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from services.common.ledger import State
from services.common.migrate import migrate
from services.common.settings import Settings
from tests.integration.conftest import make_settings
from tests.integration.parts import PostgresPart, RedisPart, wait_until
from tests.integration.worker.conftest import MakeWorker, open_desk, worker_maker
from tests.integration.worker.rig import Desk

pytestmark = pytest.mark.integration


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_job_of_a_killed_worker_is_done_by_another_exactly_once(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    mark = tmp_path / "starts"
    victim = make_worker()
    job_id = desk.submit("nap", seconds=4, mark=str(mark))
    desk.wait_for(job_id, State.RUNNING)
    wait_until(lambda: lines(mark), "the job has begun")
    victim.kill()
    wait_until(lambda: not psutil.pid_exists(int(lines(mark)[0])), "the job process dies with its worker", 5)
    make_worker("worker-2")
    job = desk.wait_for(job_id, within_s=60)
    assert (job.state, job.worker, job.attempt, job.kills) == (State.SUCCEEDED, "worker-2", 2, 1)
    assert len(lines(mark)) == 2
    states = [event.state for event in desk.ledger.events(job_id)]
    assert states == [State.QUEUED, State.RUNNING, State.RUNNING, State.SUCCEEDED]


def test_worker_believed_dead_cannot_write_over_its_successor(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """A worker stopped for longer than its lease wakes up with a finished job in its hands."""
    mark = tmp_path / "starts"
    frozen = make_worker()
    job_id = desk.submit("nap", seconds=3, mark=str(mark))
    wait_until(lambda: lines(mark), "the job has begun")
    processes = [psutil.Process(frozen.pid), *frozen.children()]
    for process in processes:
        process.suspend()
    try:
        make_worker("worker-2")
        job = desk.wait_for(job_id, within_s=60)
    finally:
        for process in processes:
            process.resume()
    assert (job.state, job.worker) == (State.SUCCEEDED, "worker-2")
    assert desk.wait_for(desk.submit("noop")).state is State.SUCCEEDED
    wait_until(lambda: "lost" in frozen.tail(), "the frozen worker notices")
    after = desk.job(job_id)
    assert (after.worker, after.result, after.finished_at) == ("worker-2", job.result, job.finished_at)


def test_poisonous_job_dies_after_three_workers(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    job_id = desk.submit("nap", max_attempts=10, seconds=60, mark=str(mark))
    for number in range(1, 4):
        worker = make_worker(f"worker-{number}")
        wait_until(lambda number=number: len(lines(mark)) == number, f"start {number}", 60)
        worker.kill()
    make_worker("worker-4")
    job = desk.wait_for(job_id, within_s=60)
    assert (job.state, job.error_type, job.kills, len(lines(mark))) == (State.DEAD, "WorkerLost", 3, 3)


def test_emptied_redis_loses_no_job(desk: Desk, make_worker: MakeWorker, settings: Settings) -> None:
    make_worker()
    long = desk.submit("nap", seconds=4)
    desk.wait_for(long, State.RUNNING)
    waiting = [desk.submit("noop") for _ in range(20)]
    desk.transport._broker.client.flushdb()
    for job_id in [long, *waiting]:
        job = desk.wait_for(job_id, within_s=30)
        assert (job.state, job.attempt) == (State.SUCCEEDED, 1)


def test_job_submitted_while_redis_is_away_is_swept_up(desk: Desk, make_worker: MakeWorker) -> None:
    make_worker()
    job = desk.ledger.submit("noop", {}).job
    desk.ledger.unsent(job.id)
    assert desk.wait_for(job.id, within_s=15).state is State.SUCCEEDED


def test_sigterm_lets_the_job_finish(desk: Desk, make_worker: MakeWorker) -> None:
    worker = make_worker()
    job_id = desk.submit("nap", seconds=4)
    desk.wait_for(job_id, State.RUNNING)
    worker.terminate()
    wait_until(lambda: (beat := worker.heartbeat()) is not None and beat.state == "draining", "it drains", 5)
    left = desk.submit("noop")
    assert worker.wait() == 0
    assert desk.job(job_id).state is State.SUCCEEDED
    assert desk.job(left).state is State.QUEUED
    assert worker.heartbeat() is None


def test_sigterm_hands_back_what_takes_too_long(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    worker = make_worker(WORKER_GRACE_SECONDS="1")
    job_id = desk.submit("nap", max_attempts=1, seconds=8, mark=str(mark))
    wait_until(lambda: lines(mark), "the job has begun")
    began = time.monotonic()
    worker.terminate()
    assert worker.wait() == 0
    assert time.monotonic() - began < 12
    job = desk.job(job_id)
    assert (job.state, job.attempt) == (State.QUEUED, 0)
    make_worker("worker-2")
    job = desk.wait_for(job_id)
    # Not burned: this is the first attempt of one.
    assert (job.state, job.worker, job.attempt) == (State.SUCCEEDED, "worker-2", 1)


@dataclass
class Own:
    """Servers of this test alone, to be killed."""

    postgres: PostgresPart
    redis: RedisPart
    desk: Desk
    make_worker: MakeWorker


@pytest.fixture
def own(own_postgres: PostgresPart, own_redis: RedisPart, tmp_path: Path) -> Iterator[Own]:
    settings = make_settings(own_postgres, own_redis, tmp_path)
    migrate(settings)
    desks, makers = open_desk(settings), worker_maker(settings, tmp_path)
    yield Own(own_postgres, own_redis, next(desks), next(makers))
    for generator in (makers, desks):
        next(generator, None)


def test_worker_survives_the_death_of_redis(own: Own) -> None:
    worker = own.make_worker()
    long = own.desk.submit("nap", seconds=3)
    own.desk.wait_for(long, State.RUNNING)
    own.redis.kill()
    assert own.desk.wait_for(long, within_s=30).state is State.SUCCEEDED
    own.redis.start()
    job = own.desk.wait_for(own.desk.submit("noop"), within_s=30)
    assert (job.state, worker.process.poll() if worker.process else 0) == (State.SUCCEEDED, None)
    wait_until(lambda: (beat := worker.heartbeat()) is not None and time.time() - beat.at < 3, "it beats again")


def test_worker_survives_the_death_of_postgres(own: Own) -> None:
    worker = own.make_worker()
    long = own.desk.submit("nap", seconds=4)
    own.desk.wait_for(long, State.RUNNING)
    waiting = own.desk.submit("noop")
    own.postgres.kill()
    own.postgres.start()
    for job_id in (long, waiting):
        job = own.desk.wait_for(job_id, within_s=60)
        assert (job.state, job.attempt) == (State.SUCCEEDED, 1)
    assert worker.process is not None
    assert worker.process.poll() is None


def test_heart_beats_while_postgres_hangs(own: Own) -> None:
    worker = own.make_worker()
    job_id = own.desk.submit("nap", seconds=2)
    own.desk.wait_for(job_id, State.RUNNING)
    own.postgres.pause()
    resume = threading.Timer(8, own.postgres.resume)
    resume.start()
    try:
        wait_until(lambda: not resume.is_alive(), "Postgres wakes up", 20)
        heartbeat = worker.heartbeat()
        assert heartbeat is not None
        assert time.time() - heartbeat.at < 4
    finally:
        resume.join()
    assert own.desk.wait_for(job_id, within_s=60).state is State.SUCCEEDED
