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
from services.common.heartbeats import granted_drain
from services.common.jobtypes import registry
from services.common.ledger import Ledger
from services.common.logging import configure_logging
from services.common.queue_metrics import QueueCollector
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.common.transport import Transport, make_broker
from services.worker.attempt import Attempts
from services.worker.consumer import Consumer, SlotBroker
from services.worker.heartbeat import HeartbeatSender
from services.worker.lease_renewer import LeaseRenewer
from services.worker.liveness import JOB, Liveness
from services.worker.metrics import WorkerMetrics
from services.worker.outcome import Stop
from services.worker.supervise import TERM_GRACE_S
from services.worker.sweeper import Sweeper
from services.worker.warm_process import WarmProcess

# For the job's process to end and for the ledger to hear of it, after the grace period.
HANDBACK_S = TERM_GRACE_S + 3.0
# A whole stack starts at once, on few processors: first what makes it ready, then what makes the first job fast.
WARM_UP_S = 2.0
# Fifty workers share one Postgres: each makes do with few connections.
CONNECTIONS = 3
# Soon enough to hand a job back before its lease ends.
LOOK_S = 0.5
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
    """One worker: consumer, lease renewer, sweeper, heartbeat, metrics, and a job process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = WorkerMetrics()
        self._database = Database(settings, "worker", max_size=CONNECTIONS, on_error=self._metrics.database_error)
        self._ledger = Ledger(self._database)
        self._redis = redis_client(settings, self._metrics.redis_operation)
        broker = make_broker(settings, client=self._redis, kind=SlotBroker)
        self._transport = Transport(broker)
        self._lease_renewer = LeaseRenewer(self._ledger, settings.worker_lease_seconds)
        self._warm_process = WarmProcess()
        liveness = Liveness()
        self._attempts = Attempts(
            self._ledger,
            self._transport,
            self._lease_renewer,
            self._warm_process,
            self._metrics,
            worker=settings.worker_name,
            memory_limit=settings.job_memory_limit,
            alive=lambda: liveness.tick(JOB),
        )
        self._consumer = Consumer(broker, self._attempts.run, self._attempts.give_back, liveness)
        self._sweeper = Sweeper(self._ledger, self._transport)
        self._heartbeat_sender = HeartbeatSender(
            self._redis,
            settings.worker_name,
            self._metrics,
            job=lambda: self._attempts.running,
            child=lambda: self._warm_process.pid,
            stalled=liveness.stalled,
        )

    def start(self) -> None:
        """Raises ``OSError`` when the metrics address cannot be had."""
        self._metrics.add(QueueCollector(self._ledger, self._redis, workers_desired=False))
        port = self._metrics.serve(self._settings.worker_metrics_listen)
        self._warm_process.prepare(within=WARM_UP_S)
        self._database.open()
        self._heartbeat_sender.start()
        self._end_leases_of_predecessor()
        for part in (self._lease_renewer, self._sweeper, self._consumer):
            part.start()
        for broken in registry().quarantined:
            log.error("job type in quarantine", job_type=broken.name, reason=broken.error)
        log.info(
            "worker started",
            worker=self._settings.worker_name,
            metrics_port=port,
            job_types=sorted(registry().types),
        )

    def _end_leases_of_predecessor(self) -> None:
        """Before the first claim of our own. Without Postgres they end by themselves."""
        try:
            if ended := self._ledger.end_leases(self._settings.worker_name):
                log.warning("the worker of this name before left jobs", jobs=ended)
        except (DatabaseUnavailable, psycopg.Error) as error:
            log.warning("leases of the worker before not ended", reason=" ".join(str(error).split()))

    def dead(self) -> list[str]:
        """Names of threads that have ended although they were not stopped."""
        parts = {
            LEASE_RENEWER: self._lease_renewer.alive,
            "heartbeat": self._heartbeat_sender.alive,
            "sweeper": self._sweeper.alive,
        }
        return [name for name, alive in parts.items() if not alive] + self._consumer.dead()

    def end(self, grace_s: float | None = None, at_once: Callable[[], bool] = lambda: False) -> None:
        """Take no more jobs; let the running one finish within ``grace_s`` seconds, else hand it back.

        None: as long as whoever stops this worker granted (``tradebot scale --drain``), else the setting.
        """
        began = time.monotonic()
        self._heartbeat_sender.drain()
        self._consumer.drain()
        grace_s = self._granted() if grace_s is None else grace_s
        log.info("draining", job_id=self._attempts.running, grace_seconds=grace_s)
        deadline = began + grace_s
        while not self._consumer.wait_idle(0.1) and time.monotonic() < deadline and not at_once():
            pass
        self._attempts.close()
        self._lease_renewer.stop_all(Stop.SHUTDOWN)
        self._consumer.wait_idle(HANDBACK_S)
        self._consumer.stop()
        self._sweeper.close()
        self._lease_renewer.close()
        self._warm_process.close()
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
