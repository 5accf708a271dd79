"""Reports once a second what this worker does, and hears what it is to do; silent when the loop that does it hangs."""

import os
import threading
import time
from collections.abc import Callable, Iterable

import redis
import structlog

from services.common.heartbeats import Heartbeat, Order, WorkerState, beat, forget, give_order, hear_order
from services.version import VERSION
from services.worker.attempt import Running
from services.worker.metrics import WorkerMetrics

BEAT_S = 1.0
STALL_S = 20.0
"""Longer than anything between two ticks takes that ends by itself: Postgres may hang for 14 s in a claim."""

CONSUMER = "consumer"
MESSAGE = "message"
JOB = "job"

log = structlog.get_logger(__name__)


class Liveness:
    """Each part ticks while it moves, and rests while it has nothing to do; called from any thread."""

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._stall_s = stall_s
        self._ticked: dict[str, float] = {CONSUMER: time.monotonic()}

    def tick(self, part: str) -> None:
        self._ticked[part] = time.monotonic()

    def rest(self, part: str) -> None:
        self._ticked.pop(part, None)

    def stalled(self) -> str | None:
        """The part that has not moved for the longest time, when that is too long."""
        part, at = min(self._ticked.copy().items(), key=lambda item: item[1])
        return part if time.monotonic() - at > self._stall_s else None


class StandingOrder:
    """Asked of Redis with each heartbeat, and obeyed. In Redis it outlives the worker, in the worker a wiped Redis."""

    def __init__(self, client: redis.Redis, name: str, take_jobs: Callable[[bool], None]) -> None:
        self._client = client
        self._name = name
        self._take_jobs = take_jobs
        self._order: Order | None = None

    @property
    def drained(self) -> bool:
        return self._order is not None and self._order.drain

    def look(self) -> None:
        """Hear the order and do as it says. Raises ``redis.RedisError``."""
        order = hear_order(self._client, self._name)
        if order is None and self._order is not None and self._order.drain:
            log.warning("the order to take no jobs was lost, and is given again")
            give_order(self._client, self._name, self._order)
        elif order is not None and order != self._order:
            self._order = order
            self._take_jobs(not order.drain)
            log.info(
                "ordered to take no jobs" if order.drain else "ordered to take jobs", by=order.by, reason=order.reason
            )


class HeartbeatSender:
    """A thread that beats, and hears the order to this worker with each beat.

    ``job`` gives a running job, ``at_rest`` whether there is none whose outcome is still to be recorded either,
    ``children`` the pids of job processes, ``stalled`` the name of what hangs in this worker: a beat would report that
    all is well.
    """

    def __init__(
        self,
        client: redis.Redis,
        name: str,
        metrics: WorkerMetrics,
        order: StandingOrder,
        *,
        job: Callable[[], Running | None],
        at_rest: Callable[[], bool],
        children: Callable[[], Iterable[int]],
        stalled: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._client = client
        self._name = name
        self._metrics = metrics
        self._order = order
        self._job = job
        self._at_rest = at_rest
        self._children = children
        self._stalled = stalled
        self._hangs: str | None = None
        self._ending = False
        self._reached = True
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def drain(self) -> None:
        """Show that no new job is taken, whatever the order says: the worker ends."""
        self._ending = True
        self._metrics.active(takes_jobs=False)

    def close(self) -> None:
        """Stop beating and be forgotten at once."""
        self._closing.set()
        self._thread.join(timeout=3 * BEAT_S)
        try:
            forget(self._client, self._name)
        except redis.RedisError as error:
            log.warning("goodbye not sent", reason=str(error))

    def _loop(self) -> None:
        while True:
            if not self._look():
                self._beat()
            if self._closing.wait(BEAT_S):
                return

    def _look(self) -> str | None:
        """Threads that hang; logged when it begins and when it ends."""
        before, self._hangs = self._hangs, self._stalled()
        if self._hangs and not before:
            job = self._job()
            log.error("hangs: no heartbeat", part=self._hangs, job_id=job.id if job else None)
        elif before and not self._hangs:
            log.info("moves again", part=before)
        return self._hangs

    def _beat(self) -> None:
        memory, now = self._metrics.resources(self._children()), time.time()
        try:
            if not self._ending:
                self._order.look()
            beat(self._client, self._heartbeat(now, memory))
        except redis.RedisError as error:
            if self._reached:
                log.warning("redis is away: no heartbeat", reason=str(error))
            self._reached = False
        else:
            self._metrics.beat(now)
            if not self._reached:
                log.info("redis is back")
            self._reached = True

    def _heartbeat(self, now: float, memory: int) -> Heartbeat:
        job = self._job()
        return Heartbeat(
            self._name,
            self._state(job),
            os.getpid(),
            now,
            job_id=job.id if job else None,
            job_type=job.type if job else None,
            job_since=job.since if job else None,
            memory_bytes=memory,
            version=VERSION,
        )

    def _state(self, job: Running | None) -> WorkerState:
        if self._ending:
            return "draining"
        if self._order.drained:
            return "drained" if self._at_rest() else "draining"
        return "busy" if job else "idle"
