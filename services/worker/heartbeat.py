"""Reports once a second that this worker takes jobs or runs one, and stops when the loop that does so hangs."""

import os
import threading
import time
from collections.abc import Callable

import redis
import structlog

from services.common.heartbeats import Heartbeat, WorkerState, beat, forget
from services.worker.metrics import WorkerMetrics

BEAT_S = 1.0

log = structlog.get_logger(__name__)


class HeartbeatSender:
    """A thread that beats.

    ``job`` gives the id of the running job, ``child`` the pid of the job process, ``stalled`` the name of what
    hangs in this worker: a beat would report that all is well.
    """

    def __init__(
        self,
        client: redis.Redis,
        name: str,
        metrics: WorkerMetrics,
        *,
        job: Callable[[], str | None],
        child: Callable[[], int | None],
        stalled: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._client = client
        self._name = name
        self._metrics = metrics
        self._job = job
        self._child = child
        self._stalled = stalled
        self._hangs: str | None = None
        self._draining = False
        self._reached = True
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def drain(self) -> None:
        """Show that no new job is taken."""
        self._draining = True
        self._metrics.draining()

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
            log.error("hangs: no heartbeat", part=self._hangs, job_id=self._job())
        elif before and not self._hangs:
            log.info("moves again", part=before)
        return self._hangs

    def _beat(self) -> None:
        job = self._job()
        state: WorkerState = "draining" if self._draining else "busy" if job else "idle"
        now = time.time()
        try:
            beat(self._client, Heartbeat(self._name, state, os.getpid(), now, job))
        except redis.RedisError as error:
            if self._reached:
                log.warning("redis is away: no heartbeat", reason=str(error))
            self._reached = False
        else:
            self._metrics.beat(now, self._child())
            if not self._reached:
                log.info("redis is back")
            self._reached = True
