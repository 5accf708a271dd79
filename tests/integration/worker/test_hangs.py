"""A worker whose loop hangs stops beating, although its other threads and its metrics go on."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.common.heartbeats import Heartbeat, alive
from services.common.ledger import State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.common.transport import QUEUE, Transport, make_broker
from services.worker.attempt import Running
from services.worker.consumer import Consumer, SlotBroker
from services.worker.heartbeat import BEAT_S, CONSUMER, JOB, STALL_S, HeartbeatSender, Liveness, StandingOrder
from services.worker.metrics import WorkerMetrics
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.waiting import until

pytestmark = pytest.mark.integration

#: Far more than the pause between two beats: no beat for so long is none, also on a busy machine.
SILENCE_S = 5 * BEAT_S


class Gate(SlotBroker):
    """Fetching a message may be made to block, as a call does that never returns."""

    def __init__(self, **options: Any) -> None:
        self.open = threading.Event()
        self.open.set()
        super().__init__(**options)

    def do_fetch(self, *arguments: Any) -> Any:
        self.open.wait()
        return self.__getattr__("do_fetch")(*arguments)


@dataclass
class Parts:
    """What takes jobs and what beats, of one worker, on the real Redis."""

    settings: Settings
    liveness: Liveness = field(default_factory=lambda: Liveness(stall_s=1.0))
    goes_on: threading.Event = field(default_factory=threading.Event)
    job: UUID | None = None
    ticks: bool = False

    def __post_init__(self) -> None:
        self.client = redis_client(self.settings)
        self.broker = make_broker(self.settings, client=self.client, kind=Gate, queues=(QUEUE,))
        self.consumer = Consumer(QUEUE, self.broker, self.work, lambda _job: None, self.liveness, idle_ms=50)
        self.heartbeat_sender = HeartbeatSender(
            self.client,
            "worker-1",
            WorkerMetrics(),
            StandingOrder(self.client, "worker-1", lambda _take: None),
            job=lambda: Running(str(self.job), "noop", 0.0) if self.job else None,
            at_rest=lambda: self.consumer.wait_idle(0.0),
            children=lambda: (),
            stalled=self.liveness.stalled,
        )
        self.consumer.start()
        self.heartbeat_sender.start()

    def work(self, job: UUID, free: Callable[[], None]) -> None:
        self.job = job
        while not self.goes_on.wait(0.05):
            if self.ticks:
                self.liveness.tick(JOB)
        self.job = None
        free()

    def beat(self) -> Heartbeat:
        until(lambda: alive(self.client), "a heartbeat", 10)
        return alive(self.client)[0]

    def silent(self) -> bool:
        return time.time() - self.beat().at > SILENCE_S

    def beats_after(self, moment: float) -> bool:
        return self.beat().at > moment

    def close(self) -> None:
        self.broker.open.set()
        self.goes_on.set()
        self.consumer.drain()
        self.consumer.stop()
        self.heartbeat_sender.close()


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    made = Parts(settings)
    yield made
    made.close()


def test_a_hung_consumer_stops_the_heartbeat_until_it_moves_again(parts: Parts) -> None:
    until(lambda: parts.beats_after(time.time() - 1), "it beats", 10)
    parts.broker.open.clear()
    until(lambda: parts.liveness.stalled() == CONSUMER, "the consumer hangs", 10)
    until(parts.silent, "the heartbeat stops", 20)
    assert parts.liveness.stalled() == CONSUMER
    parts.broker.open.set()
    moment = time.time()
    until(lambda: parts.beats_after(moment), "it beats again", 10)


def test_a_hung_watch_over_a_job_stops_the_heartbeat(parts: Parts, settings: Settings) -> None:
    Transport(make_broker(settings)).send(uuid4())
    until(lambda: parts.liveness.stalled() == JOB, "the job's watch hangs", 10)
    until(parts.silent, "the heartbeat stops", 20)
    parts.goes_on.set()
    moment = time.time()
    until(lambda: parts.beats_after(moment), "it beats again", 10)


def test_a_worker_busy_with_a_long_job_is_not_stale(parts: Parts, settings: Settings) -> None:
    parts.ticks = True
    Transport(make_broker(settings)).send(uuid4())
    until(lambda: parts.job, "the job runs", 10)
    began = time.time()
    until(lambda: parts.beats_after(began + SILENCE_S), "it beats all the while", 20)
    assert (parts.beat().state, parts.beat().job_id) == ("busy", str(parts.job))


def test_a_whole_worker_that_waits_for_ever_for_its_job_stops_beating(desk: Desk, make_worker: MakeWorker) -> None:
    worker = make_worker()
    job_id = desk.submit("half_word")
    desk.wait_for(job_id, State.RUNNING)

    def age() -> float:
        return time.time() - worker.metrics()["worker_heartbeat_timestamp"]

    # The metrics are still answered: that is how the alert knows of it.
    until(lambda: age() > SILENCE_S, "the heartbeat stops", STALL_S + SILENCE_S + 20)
    assert '"hangs: no heartbeat"' in worker.tail()
    assert worker.process is not None
    assert worker.process.poll() is None
    worker.kill()
