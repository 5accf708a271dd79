"""The worker's parts, put together, and its life: start, work until SIGTERM, drain, end."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from services.common.database import Database
from services.common.jobtypes import registry
from services.common.ledger import Ledger
from services.common.logging import configure_logging
from services.common.queue_metrics import QueueCollector
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.common.transport import Transport, make_broker
from services.worker.attempt import Attempts
from services.worker.consumer import Consumer, SlotBroker
from services.worker.heartbeat import Pulse
from services.worker.keeper import Keeper
from services.worker.metrics import WorkerMetrics
from services.worker.nursery import Nursery
from services.worker.outcome import Stop
from services.worker.supervise import TERM_GRACE_S
from services.worker.sweeper import Sweeper

# For the job's process to end and for the ledger to hear of it, after the grace period.
HANDBACK_S = TERM_GRACE_S + 3.0
# Fifty workers share one Postgres: each makes do with few connections.
CONNECTIONS = 3

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
    stop.first.wait()
    worker.end(settings.worker_grace_seconds, at_once=stop.second.is_set)
    sys.stdout.flush()
    return 0


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
    """One worker: consumer, keeper of leases, sweeper, heartbeat, metrics, and a job process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = WorkerMetrics()
        self._database = Database(settings, "worker", max_size=CONNECTIONS, on_error=self._metrics.database_error)
        self._ledger = Ledger(self._database)
        self._redis = redis_client(settings, self._metrics.redis_operation)
        broker = make_broker(settings, client=self._redis, kind=SlotBroker)
        self._transport = Transport(broker)
        self._keeper = Keeper(self._ledger, settings.worker_lease_seconds)
        self._nursery = Nursery()
        self._attempts = Attempts(
            self._ledger,
            self._transport,
            self._keeper,
            self._nursery,
            self._metrics,
            worker=settings.worker_name,
            memory_limit=settings.job_memory_limit,
        )
        self._consumer = Consumer(broker, self._attempts.run, self._attempts.give_back)
        self._sweeper = Sweeper(self._ledger, self._transport)
        self._pulse = Pulse(
            self._redis,
            settings.worker_name,
            self._metrics,
            job=lambda: self._attempts.running,
            child=lambda: self._nursery.pid,
        )

    def start(self) -> None:
        """Raises ``OSError`` when the metrics address cannot be had."""
        self._metrics.add(QueueCollector(self._ledger, self._redis, workers_desired=False))
        port = self._metrics.serve(self._settings.worker_metrics_listen)
        self._nursery.prepare()
        self._database.open()
        for part in (self._keeper, self._pulse, self._sweeper, self._consumer):
            part.start()
        for broken in registry().quarantined:
            log.error("job type in quarantine", job_type=broken.name, reason=broken.error)
        log.info(
            "worker started",
            worker=self._settings.worker_name,
            metrics_port=port,
            job_types=sorted(registry().types),
        )

    def end(self, grace_s: float, at_once: Callable[[], bool] = lambda: False) -> None:
        """Take no more jobs; let the running one finish within ``grace_s`` seconds, else hand it back."""
        self._pulse.drain()
        self._consumer.drain()
        log.info("draining", job_id=self._attempts.running, grace_seconds=grace_s)
        deadline = time.monotonic() + grace_s
        while not self._consumer.wait_idle(0.1) and time.monotonic() < deadline and not at_once():
            pass
        self._attempts.close()
        self._keeper.stop_all(Stop.SHUTDOWN)
        self._consumer.wait_idle(HANDBACK_S)
        self._consumer.stop()
        self._sweeper.close()
        self._keeper.close()
        self._nursery.close()
        self._pulse.close()
        self._transport.close()
        self._database.close()
        log.info("worker stopped")
