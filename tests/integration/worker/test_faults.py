"""Workers, Redis and Postgres that die: no job lost, none done twice, nothing left behind."""

import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest

from services.common.heartbeats import DRAIN_PREFIX
from services.common.ledger import State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.parts import PostgresPart
from tests.integration.worker.conftest import MakeWorker, Own
from tests.integration.worker.rig import LEASE_S, Desk
from tests.waiting import until

pytestmark = pytest.mark.integration

#: Within two seconds on a machine that does nothing else; starting a process takes its time on a busy one.
AGAIN_WITHIN_S = 10.0


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _has_lines(path: Path, count: int) -> bool:
    return len(lines(path)) == count


def test_job_of_a_killed_worker_is_done_by_another_exactly_once(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    mark = tmp_path / "starts"
    victim = make_worker()
    job_id = desk.submit("nap", seconds=4, mark=str(mark))
    desk.wait_for(job_id, State.RUNNING)
    until(lambda: lines(mark), "the job has begun")
    victim.kill()
    until(lambda: not psutil.pid_exists(int(lines(mark)[0])), "the job process dies with its worker", 5)
    make_worker("worker-2")
    job = desk.wait_for(job_id, within_s=60)
    assert (job.state, job.worker, job.attempt, job.kills) == (State.SUCCEEDED, "worker-2", 1, 1)
    assert len(lines(mark)) == 2
    states = [event.state for event in desk.ledger.events(job_id)]
    assert states == [State.QUEUED, State.RUNNING, State.RUNNING, State.SUCCEEDED]


@pytest.mark.parametrize("waiting", [0, 50])
def test_job_of_a_killed_process_runs_again_at_once(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path, waiting: int
) -> None:
    """Also before those that waited behind it, and though it has but one attempt."""
    mark = tmp_path / "starts"
    make_worker()
    job_id = desk.submit("nap", max_attempts=1, seconds=2, mark=str(mark))
    until(lambda: lines(mark), "the job has begun")
    others = [desk.submit("nap", seconds=1) for _ in range(waiting)]
    killed = time.time()
    psutil.Process(int(lines(mark)[0])).kill()
    job = desk.wait_for(job_id, within_s=120)
    again = [event.at for event in desk.ledger.events(job_id) if event.state is State.RUNNING][-1]
    assert (job.state, job.attempt, job.kills, len(lines(mark))) == (State.SUCCEEDED, 1, 1, 2)
    assert again.timestamp() - killed < AGAIN_WITHIN_S
    for each in others:
        desk.ledger.request_cancel(each)


def test_a_worker_that_is_started_again_does_not_wait_for_the_lease_of_its_predecessor(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """Nor for what was submitted meanwhile: it is the first that the new one runs."""
    mark, minutes = tmp_path / "starts", "120"
    victim = make_worker(WORKER_LEASE_SECONDS=minutes)
    job_id = desk.submit("nap", seconds=1, mark=str(mark))
    until(lambda: lines(mark), "the job has begun")
    victim.kill()
    waiting = [desk.submit("nap", seconds=20) for _ in range(3)]
    make_worker(WORKER_LEASE_SECONDS=minutes)
    job = desk.wait_for(job_id, within_s=20)
    assert (job.state, job.attempt, job.kills) == (State.SUCCEEDED, 1, 1)
    for each in waiting:
        desk.ledger.request_cancel(each)


def test_worker_believed_dead_cannot_write_over_its_successor(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """A worker stopped for longer than its lease wakes up with a finished job in its hands."""
    mark = tmp_path / "starts"
    frozen = make_worker()
    job_id = desk.submit("nap", seconds=3, mark=str(mark))
    until(lambda: lines(mark), "the job has begun")
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
    until(lambda: "lost" in frozen.tail(), "the frozen worker notices")
    after = desk.job(job_id)
    assert (after.worker, after.result, after.finished_at) == ("worker-2", job.result, job.finished_at)


def test_poisonous_job_dies_after_three_workers(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    job_id = desk.submit("nap", max_attempts=10, seconds=60, mark=str(mark))
    for number in range(1, 4):
        worker = make_worker(f"worker-{number}")
        until(partial(_has_lines, mark, number), f"start {number}", 60)
        worker.kill()
    workers = [make_worker("worker-4"), make_worker("worker-5")]
    job = desk.wait_for(job_id, within_s=60)
    assert (job.state, job.error_type, job.kills, len(lines(mark))) == (State.DEAD, "WorkerLost", 3, 3)

    def counted(series: str) -> float:
        return sum(worker.metrics()[series] for worker in workers)

    until(lambda: counted('job_dlq_moves_total{job_type="nap"}') == 1, "somebody counts it", 5)
    # Duplicates of the id are handed out, too.
    for _ in range(10):
        desk.transport.send(job_id)
    until(lambda: desk.wait_for(desk.submit("noop")), "the queue has been worked off", 10)
    assert counted('job_dlq_moves_total{job_type="nap"}') == 1
    assert counted('worker_jobs_processed_total{job_type="nap",status="failed"}') == 1


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
    until(lambda: (beat := worker.heartbeat()) is not None and beat.state == "draining", "it drains", 5)
    left = desk.submit("noop")
    assert worker.wait() == 0
    assert desk.job(job_id).state is State.SUCCEEDED
    assert desk.job(left).state is State.QUEUED
    assert worker.heartbeat() is None


def test_sigterm_hands_back_what_takes_too_long(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    worker = make_worker(WORKER_GRACE_SECONDS="1")
    job_id = desk.submit("nap", max_attempts=1, seconds=8, mark=str(mark))
    until(lambda: lines(mark), "the job has begun")
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


@pytest.mark.parametrize(
    ("usual", "granted", "seconds", "end"), [("0", 60, 4, (State.SUCCEEDED, 1)), ("600", 1, 60, (State.QUEUED, 0))]
)
def test_the_time_that_was_granted_to_a_worker_is_what_its_job_gets(
    desk: Desk,
    make_worker: MakeWorker,
    settings: Settings,
    usual: str,
    granted: int,
    seconds: int,
    end: tuple[State, int],
) -> None:
    """Whether it is longer than the usual time, or shorter."""
    worker = make_worker(WORKER_GRACE_SECONDS=usual)
    job_id = desk.submit("nap", max_attempts=1, seconds=seconds)
    desk.wait_for(job_id, State.RUNNING)
    redis_client(settings).set(DRAIN_PREFIX + "worker-1", granted)
    worker.terminate()
    assert worker.wait() == 0
    job = desk.job(job_id)
    assert (job.state, job.attempt) == end
    assert redis_client(settings).get(DRAIN_PREFIX + "worker-1") is None


def test_a_second_sigterm_ends_the_time_that_was_granted(
    desk: Desk, make_worker: MakeWorker, settings: Settings
) -> None:
    worker = make_worker()
    job_id = desk.submit("nap", max_attempts=1, seconds=60)
    desk.wait_for(job_id, State.RUNNING)
    redis_client(settings).set(DRAIN_PREFIX + "worker-1", 600)
    worker.terminate()
    until(lambda: '"grace_seconds": 600' in worker.tail(), "it drains", 10)
    worker.terminate()
    assert worker.wait() == 0
    job = desk.job(job_id)
    assert (job.state, job.attempt) == (State.QUEUED, 0)


def test_worker_survives_the_death_of_redis(own: Own) -> None:
    worker = own.make_worker()
    long = own.desk.submit("nap", seconds=3)
    own.desk.wait_for(long, State.RUNNING)
    own.redis.kill()
    assert own.desk.wait_for(long, within_s=30).state is State.SUCCEEDED
    own.redis.start()
    job = own.desk.wait_for(own.desk.submit("noop"), within_s=30)
    assert (job.state, worker.process.poll() if worker.process else 0) == (State.SUCCEEDED, None)
    until(lambda: (beat := worker.heartbeat()) is not None and time.time() - beat.at < 3, "it beats again")


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


def test_a_job_whose_connection_is_lost_in_the_middle_is_tried_again(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    make_worker()
    mark = tmp_path / "starts"
    job = desk.wait_for(desk.submit("lose_connection", max_attempts=1, mark=str(mark)))
    assert (job.state, job.attempt, job.deferrals) == (State.SUCCEEDED, 1, 1), job
    assert len(mark.read_text().splitlines()) == 2


def test_a_job_does_not_get_a_connection_that_postgres_closed_before(
    desk: Desk, make_worker: MakeWorker, postgres: PostgresPart
) -> None:
    """As after a restart of Postgres: the process of the job before it still holds the old one."""
    make_worker()
    before = desk.wait_for(desk.submit("backend")).result
    assert before is not None
    with closing(postgres.connect()) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (before["pid"],))
    job = desk.wait_for(desk.submit("backend", max_attempts=1))
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)
    assert job.result is not None
    assert job.result["pid"] != before["pid"]


def test_leases_are_kept_through_a_failover(own: Own) -> None:
    """While another server takes over, Postgres answers and refuses every write."""
    worker = own.make_worker()
    job_id = own.desk.submit("nap", max_attempts=1, seconds=LEASE_S + 5)
    own.desk.wait_for(job_id, State.RUNNING)
    own.postgres.read_only("on")
    until(lambda: "lease not renewed" in worker.tail(), "a renewal fails", 10)
    own.postgres.read_only("off")
    job = own.desk.wait_for(job_id, within_s=30)
    assert (job.state, job.attempt, job.kills) == (State.SUCCEEDED, 1, 0)
    assert worker.process is not None
    assert worker.process.poll() is None


def test_an_outcome_waits_for_the_end_of_a_failover(own: Own) -> None:
    worker = own.make_worker()
    job_id = own.desk.submit("nap", max_attempts=1, seconds=1)
    own.desk.wait_for(job_id, State.RUNNING)
    own.postgres.read_only("on")
    until(lambda: "outcome not recorded yet" in worker.tail(), "the outcome cannot be recorded", 10)
    own.postgres.read_only("off")
    job = own.desk.wait_for(job_id, within_s=30)
    assert (job.state, job.attempt, job.kills) == (State.SUCCEEDED, 1, 0)


@pytest.mark.parametrize(
    "broken", ["lease_renewer.LeaseRenewer._renew", "heartbeat.HeartbeatSender._look", "sweeper.Sweeper.sweep"]
)
def test_a_worker_whose_thread_ends_hands_its_job_back_and_ends(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path, broken: str
) -> None:
    flag = tmp_path / "flag"
    worker = make_worker(SABOTAGE=broken, SABOTAGE_FLAG=str(flag), WORKER_GRACE_SECONDS="1")
    job_id = desk.submit("nap", max_attempts=1, seconds=60)
    desk.wait_for(job_id, State.RUNNING)
    flag.touch()
    assert worker.wait() == 1
    assert "threads have ended by themselves" in worker.tail()
    job = desk.job(job_id)
    # While its lease still held: nobody else has taken it over, no attempt is burned, no worker counted as lost.
    assert (job.state, job.attempt, job.kills) == (State.QUEUED, 0, 0)
    assert worker.heartbeat() is None


def test_without_its_lease_renewer_a_worker_gives_no_grace(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    worker = make_worker(
        SABOTAGE="lease_renewer.LeaseRenewer._renew", SABOTAGE_FLAG=str(flag), WORKER_GRACE_SECONDS="600"
    )
    job_id = desk.submit("nap", max_attempts=1, seconds=60)
    desk.wait_for(job_id, State.RUNNING)
    flag.touch()
    assert worker.wait() == 1
    job = desk.job(job_id)
    assert (job.state, job.attempt, job.kills) == (State.QUEUED, 0, 0)


def test_a_hung_redis_ends_no_thread_though_delayed_jobs_are_in_hand(own: Own) -> None:
    worker = own.make_worker()
    later = own.desk.ledger.submit("noop", {}).job.id
    own.desk.transport.send(later, delay_s=600)
    until(lambda: own.redis.client().llen("dramatiq:jobs.DQ") == 0, "the worker has the delayed id in hand")
    own.redis.pause()
    try:
        # Twice: the first time-out is the fetch, the second the giving back.
        until(lambda: worker.tail().count("onsumer encountered") >= 4, "the consumers time out", 30)
    finally:
        own.redis.resume()
    job = own.desk.wait_for(own.desk.submit("noop"), within_s=30)
    assert job.state is State.SUCCEEDED
    assert "threads have ended" not in worker.tail()
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
        until(lambda: not resume.is_alive(), "Postgres wakes up", 20)
        heartbeat = worker.heartbeat()
        assert heartbeat is not None
        assert time.time() - heartbeat.at < 4
    finally:
        resume.join()
    assert own.desk.wait_for(job_id, within_s=60).state is State.SUCCEEDED
