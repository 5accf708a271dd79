"""The worker's parts, put together, and its life: start, work until SIGTERM, drain, end."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import psycopg
import redis
import structlog

from services.common.database import Database, DatabaseUnavailable
from services.common.heartbeats import granted_drain, heard
from services.common.jobtypes import LIMITS_VARIABLE, registry, time_limits
from services.common.ledger import Ledger, Schedules, declared_limits
from services.common.logging import configure_logging
from services.common.queue_metrics import QueueCollector
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.common.transport import Transport, TransportUnavailable, make_broker
from services.worker.attempt import Running
from services.worker.heartbeat import HeartbeatSender, StandingOrder
from services.worker.lane import Shared, lanes
from services.worker.lease_renewer import LeaseRenewer
from services.worker.metrics import WorkerMetrics
from services.worker.outcome import Stop
from services.worker.supervise import TERM_GRACE_S
from services.worker.sweeper import Sweeper

# For the job's process to end and for the ledger to hear of it, after the grace period.
HANDBACK_S = TERM_GRACE_S + 3.0
# A whole stack starts at once, on few processors: first what makes it ready, then what makes the first job fast.
WARM_UP_S = 2.0
# Fifty workers share one Postgres: each makes do with few connections.
CONNECTIONS = 3
# Soon enough to hand a job back before its lease ends.
LOOK_S = 0.5
# Workers beat once a second; whoever missed five beats is not believed to live.
HEARD_S = 5.0
LEASE_RENEWER = "lease renewer"

log = structlog.get_logger(__name__)


def main() -> int:
    settings = Settings()
    configure_logging(settings)
    stop = Signals()
    try:
        worker = WorkerService(settings)
        worker.start()
    except (OSError, ValueError) as error:
        log.error("worker cannot start", reason=str(error))  # noqa: TRY400 - a sentence, not a traceback
        return 1
    dead = _work(worker, stop)
    # Without its lease renewer the running job's lease ends in seconds: it is handed back while it is still ours.
    worker.end(0.0 if LEASE_RENEWER in dead else None, at_once=stop.second.is_set)
    sys.stdout.flush()
    # Not 0, so that it is started again under any restart policy.
    return 1 if dead else 0


def _work(worker: "WorkerService", stop: "Signals") -> list[str]:
    """Run until a stop signal, or until a thread has ended that the worker cannot do without: these are returned."""
    while not stop.first.wait(LOOK_S):
        if dead := worker.dead():
            log.error("threads have ended by themselves; the worker ends, too", threads=dead)
            return dead
    return []


class Signals:
    """The first SIGTERM or SIGINT drains; a second one ends the grace period."""

    def __init__(self) -> None:
        self.first = threading.Event()
        self.second = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        (self.second if self.first.is_set() else self.first).set()


class WorkerService:
    """One worker: a lane for short and one for long jobs, lease renewer, sweeper, heartbeat, metrics."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = WorkerMetrics(settings.job_memory_limit)
        self._database = Database(settings, "worker", max_size=CONNECTIONS, on_error=self._metrics.database_error)
        self._ledger = Ledger(self._database, declared_limits(registry().types))
        self._redis = redis_client(settings, self._metrics.redis_operation)
        self._transport = Transport(make_broker(settings, client=self._redis))
        self._lease_renewer = LeaseRenewer(self._ledger, settings.worker_lease_seconds)
        self._sweeper = Sweeper(
            self._ledger, Schedules(self._database), self._transport, beating=lambda: heard(self._redis, HEARD_S)
        )
        self._lanes = lanes(
            Shared(
                settings,
                self._redis,
                self._ledger,
                self._transport,
                self._lease_renewer,
                self._metrics,
                make_room=self._sweeper.wake,
            )
        )
        self._order = StandingOrder(self._redis, settings.worker_name, self._take_jobs)
        self._heartbeat_sender = HeartbeatSender(
            self._redis,
            settings.worker_name,
            self._metrics,
            self._order,
            job=self._oldest,
            at_rest=lambda: self._wait_idle(0.0) and not self._lease_renewer.holds,
            children=lambda: [lane.child for lane in self._lanes if lane.child],
            stalled=lambda: next(filter(None, (lane.stalled() for lane in self._lanes)), None),
        )

    def _oldest(self) -> Running | None:
        """Of the running jobs the one that has run for the longest time."""
        running = [lane.running for lane in self._lanes]
        return min(filter(None, running), key=lambda job: job.since, default=None)

    def _wait_idle(self, timeout_s: float) -> bool:
        """True once no job is running."""
        deadline = time.monotonic() + timeout_s
        return all(lane.wait_idle(max(deadline - time.monotonic(), 0.0)) for lane in self._lanes)

    def start(self) -> None:
        """Raises ``OSError`` when the metrics address cannot be had."""
        self._metrics.add(QueueCollector(self._ledger, self._redis, workers_desired=False))
        port = self._metrics.serve(self._settings.worker_metrics_listen)
        for lane in self._lanes:
            lane.prepare(within=WARM_UP_S)
        self._database.open()
        self._hear_order()
        self._heartbeat_sender.start()
        self._end_leases_of_predecessor()
        self._lease_renewer.start()
        self._sweeper.start()
        for lane in self._lanes:
            lane.start()
        for broken in registry().quarantined:
            log.error("job type in quarantine", job_type=broken.name, reason=broken.error)
        for name in sorted(time_limits(self._settings.job_time_limits).keys() - registry().types.keys()):
            log.warning("time limit of a job type that is not here", job_type=name, setting=LIMITS_VARIABLE)
        log.info(
            "worker started",
            worker=self._settings.worker_name,
            metrics_port=port,
            job_types=sorted(registry().types),
        )

    def _hear_order(self) -> None:
        """Before the first job is taken. Without Redis none is, and the first heartbeat hears it."""
        try:
            self._order.look()
        except redis.RedisError as error:
            log.warning("not known whether to take jobs; they are taken", reason=str(error))

    def _take_jobs(self, take: bool) -> None:
        for lane in self._lanes:
            lane.pause(paused=not take)
        self._metrics.active(takes_jobs=take)

    def _end_leases_of_predecessor(self) -> None:
        """Before the first claim of our own, so that its jobs come first. Without Postgres they end by themselves."""
        try:
            if ended := self._ledger.end_leases(self._settings.worker_name):
                log.warning("the worker of this name before left jobs", jobs=ended)
                self._sweeper.sweep()
        except (DatabaseUnavailable, TransportUnavailable, psycopg.Error) as error:
            log.warning("jobs of the worker before not taken over yet", reason=" ".join(str(error).split()))

    def dead(self) -> list[str]:
        """Names of threads that have ended although they were not stopped."""
        parts = {
            LEASE_RENEWER: self._lease_renewer.alive,
            "heartbeat": self._heartbeat_sender.alive,
            "sweeper": self._sweeper.alive,
        }
        ended = [name for name, alive in parts.items() if not alive]
        return [*ended, *(name for lane in self._lanes for name in lane.dead())]

    def end(self, grace_s: float | None = None, at_once: Callable[[], bool] = lambda: False) -> None:
        """Take no more jobs; let the running one finish within ``grace_s`` seconds, else hand it back.

        None: as long as whoever stops this worker granted (``tradebot scale --drain``), else the setting.
        """
        began = time.monotonic()
        self._heartbeat_sender.drain()
        for lane in self._lanes:
            lane.drain()
        grace_s = self._granted() if grace_s is None else grace_s
        job = self._oldest()
        log.info("draining", job_id=job.id if job else None, grace_seconds=grace_s)
        deadline = began + grace_s
        while not self._wait_idle(0.1) and time.monotonic() < deadline and not at_once():
            pass
        for lane in self._lanes:
            lane.end_attempts()
        self._lease_renewer.stop_all(Stop.SHUTDOWN)
        self._wait_idle(HANDBACK_S)
        for lane in self._lanes:
            lane.stop()
        self._sweeper.close()
        self._lease_renewer.close()
        for lane in self._lanes:
            lane.close()
        self._heartbeat_sender.close()
        self._transport.close()
        self._database.close()
        log.info("worker stopped")

    def _granted(self) -> float:
        """A signal carries no number, hence the way through Redis; without it the setting is what is safe."""
        usual = self._settings.worker_grace_seconds
        try:
            granted = granted_drain(self._redis, self._settings.worker_name)
        except redis.RedisError as error:
            log.warning("not known how long the job may take; the usual time", reason=str(error))
            return usual
        return usual if granted is None else granted
