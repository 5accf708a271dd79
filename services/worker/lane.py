"""A lane runs the jobs of one queue, one at a time. A worker has two: short jobs do not wait behind long ones."""

from collections.abc import Callable
from dataclasses import dataclass

from services.common.ledger import Ledger
from services.common.redis_client import ObservedRedis
from services.common.settings import Settings
from services.common.transport import LONG_QUEUE, QUEUE, Transport, make_broker
from services.worker.attempt import Attempts, Running
from services.worker.consumer import Consumer, SlotBroker
from services.worker.heartbeat import JOB, Liveness
from services.worker.lease_renewer import LeaseRenewer
from services.worker.metrics import WorkerMetrics
from services.worker.warm_process import WarmProcess

# An idle consumer looks for a short job many times a second; a long one may begin a little later.
SHORT_IDLE_MS = 50
LONG_IDLE_MS = 250


@dataclass(frozen=True)
class Shared:
    """The parts of a worker that its lanes have in common."""

    settings: Settings
    redis: ObservedRedis
    ledger: Ledger
    transport: Transport
    lease_renewer: LeaseRenewer
    metrics: WorkerMetrics
    make_room: Callable[[], None]


class Lane:
    """Consumer, attempts and job process of one queue. ``warm`` keeps the process ready between two jobs."""

    def __init__(self, queue: str, shared: Shared, *, idle_ms: int, warm: bool) -> None:
        settings = shared.settings
        self.queue = queue
        self._liveness = Liveness()
        self._process = WarmProcess(keep=warm)
        self._attempts = Attempts(
            queue,
            shared.ledger,
            shared.transport,
            shared.lease_renewer,
            self._process,
            shared.metrics,
            worker=settings.worker_name,
            memory_limit=settings.job_memory_limit,
            alive=lambda: self._liveness.tick(JOB),
            make_room=shared.make_room,
        )
        broker = make_broker(settings, client=shared.redis, kind=SlotBroker, queues=(queue,))
        self._consumer = Consumer(
            queue, broker, self._attempts.run, self._attempts.give_back, self._liveness, idle_ms=idle_ms
        )

    @property
    def running(self) -> Running | None:
        return self._attempts.running

    @property
    def child(self) -> int | None:
        """Pid of the job process, where there is one."""
        return self._process.pid

    def stalled(self) -> str | None:
        """The part that hangs."""
        return self._liveness.stalled()

    def dead(self) -> list[str]:
        """Threads that have ended although they were not stopped."""
        return [f"{self.queue}: {name}" for name in self._consumer.dead()]

    def prepare(self, within: float) -> None:
        """Have the job process ready within so many seconds, if this lane keeps one."""
        self._process.prepare(within)

    def start(self) -> None:
        self._consumer.start()

    def pause(self, *, paused: bool) -> None:
        self._consumer.pause(paused=paused)

    def drain(self) -> None:
        """Fetch and begin nothing any more; what runs goes on."""
        self._consumer.drain()

    def wait_idle(self, timeout_s: float) -> bool:
        """True once no job is running."""
        return self._consumer.wait_idle(timeout_s)

    def end_attempts(self) -> None:
        """No new attempt starts from here on."""
        self._attempts.close()

    def stop(self) -> None:
        """End the threads of the consumer."""
        self._consumer.stop()

    def close(self) -> None:
        """End the job process."""
        self._process.close()


def lanes(shared: Shared) -> tuple[Lane, ...]:
    """Short jobs first. A long job's process is started for it and ends with it: it takes no memory between two."""
    return (
        Lane(QUEUE, shared, idle_ms=SHORT_IDLE_MS, warm=True),
        Lane(LONG_QUEUE, shared, idle_ms=LONG_IDLE_MS, warm=False),
    )
