"""Orders to a real worker: it ends its job and takes no other, until it is told to; nothing else ends that."""

import time

import pytest

from services.common.database import Database
from services.common.heartbeats import Order, give_order
from services.common.ledger import Handover, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk, WorkerPart
from tests.waiting import until

pytestmark = pytest.mark.integration

DRAIN = Order(drain=True, by="ana", reason="a test")


def order(settings: Settings, given: Order) -> None:
    give_order(redis_client(settings), "worker-1", given)


def state(worker: WorkerPart) -> str:
    beat = worker.heartbeat()
    return beat.state if beat else ""


def test_a_drained_worker_ends_its_job_and_takes_the_next_one_when_it_is_told_to(
    desk: Desk, make_worker: MakeWorker, settings: Settings
) -> None:
    worker = make_worker()
    running = desk.submit("nap", seconds=3)
    desk.wait_for(running, State.RUNNING)
    until(lambda: state(worker) == "busy", "it is busy", 5)
    beat = worker.heartbeat()
    assert beat is not None
    assert (beat.job_id, beat.job_type) == (str(running), "nap")
    assert beat.job_since is not None
    assert abs(time.time() - beat.job_since) < 10
    assert beat.memory_bytes > 10_000_000
    assert beat.version

    order(settings, DRAIN)
    until(lambda: state(worker) == "draining", "it drains", 5)
    waiting = desk.submit("noop")
    until(lambda: state(worker) == "drained", f"it is drained; see {worker.tail()}", 20)
    assert desk.job(running).state is State.SUCCEEDED
    assert worker.metrics()["worker_active"] == 0
    assert '"ordered to take no jobs"' in worker.tail()
    # It has had the time to take it, and another worker would have.
    assert desk.job(waiting).state is State.QUEUED

    order(settings, Order(drain=False, by="ana"))
    assert desk.wait_for(waiting, within_s=15).state is State.SUCCEEDED
    until(lambda: state(worker) == "idle", "it is idle", 5)
    assert worker.metrics()["worker_active"] == 1


def test_the_order_outlives_the_worker_and_a_wiped_redis(
    desk: Desk, make_worker: MakeWorker, settings: Settings
) -> None:
    worker = make_worker()
    order(settings, DRAIN)
    until(lambda: state(worker) == "drained", "it is drained", 5)
    worker.terminate()
    assert worker.wait() == 0

    worker = make_worker()
    until(lambda: state(worker) == "drained", "it is drained from the start", 10)
    redis_client(settings).flushdb()
    until(lambda: "was lost, and is given again" in worker.tail(), "it gives the order again", 10)
    waiting = desk.submit("noop")
    make_worker("worker-2")
    assert desk.wait_for(waiting, within_s=15).worker == "worker-2"
    assert state(worker) == "drained"
    worker.kill()
    worker.start()
    until(lambda: state(worker) == "drained", "it is drained after a kill", 20)


def test_the_job_of_an_ended_worker_goes_to_another_at_once_and_pays_nothing(
    desk: Desk, make_worker: MakeWorker, settings: Settings
) -> None:
    worker = make_worker(WORKER_LEASE_SECONDS="600")
    job_id = desk.submit("nap", max_attempts=1, seconds=2)
    desk.wait_for(job_id, State.RUNNING)
    worker.kill()
    database = Database(settings, "test")
    database.open()
    handed = Handover(database).hand_over("worker-1", "ended", by="ana")
    database.close()
    assert [(job.id, job.type, job.worker) for job in handed] == [(job_id, "nap", "worker-1")]
    desk.transport.send(job_id, ahead=True)
    make_worker("worker-2")
    job = desk.wait_for(job_id)
    assert (job.state, job.worker, job.attempt, job.kills) == (State.SUCCEEDED, "worker-2", 1, 0)
    assert ("queued", "ana", "ended") in [
        (event.state.value, event.by, event.note) for event in desk.ledger.events(job_id)
    ]


def test_a_worker_that_lives_after_all_loses_its_job(desk: Desk, make_worker: MakeWorker, settings: Settings) -> None:
    worker = make_worker()
    job_id = desk.submit("nap", seconds=5)
    desk.wait_for(job_id, State.RUNNING)
    order(settings, DRAIN)
    until(lambda: state(worker) == "draining", "it drains", 5)
    database = Database(settings, "test")
    database.open()
    Handover(database).hand_over("worker-1", "ended", by="ana")
    database.close()
    until(lambda: state(worker) == "drained", "its job was stopped", 10)
    assert desk.job(job_id).state is State.QUEUED
