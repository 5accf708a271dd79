"""Dramatiq's worker on our queue, fetching a message only when there is a free process to run it."""

import threading
from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.worker import Worker

from services.common.transport import ACTOR, QUEUE, WORKER_TIMEOUT_MS

# The second thread claims the next job while the first one records its outcome and acknowledges the message.
THREADS = 2
STOP_MS = 5_000

log = structlog.get_logger(__name__)

Handle = Callable[[UUID, Callable[[], None]], None]
"""``handle(job_id, free)``: does the job; calls ``free`` when the next message may be fetched."""


class Slot:
    """Room for one running job. Messages are fetched only into a free slot: none waits behind a long job."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._closed = False

    def take(self, timeout_s: float) -> bool:
        """Wait for the slot; False when it stays taken, or is closed."""
        with self._changed:
            if self._closed:
                self._changed.wait(timeout_s)
                return False
            if not self._changed.wait_for(lambda: not self._taken, timeout_s) or self._closed:
                return False
            self._taken = True
            return True

    def free(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def close(self) -> None:
        """Fetch nothing from here on."""
        with self._changed:
            self._closed = True

    def wait_free(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, timeout_s)


class SlotBroker(RedisBroker):
    """A Redis broker whose consumers of live messages wait for the slot before they fetch."""

    slot: Slot

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        kind = _SlotConsumer if queue_name == QUEUE else _RedisConsumer
        return kind(self, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]


class _SlotConsumer(_RedisConsumer):
    """Dramatiq counts what is not yet acknowledged against its prefetch; here the slot decides alone."""

    broker: SlotBroker

    def __next__(self) -> MessageProxy | None:
        slot = self.broker.slot
        if not slot.take(self.timeout / 1000):
            return None
        message = None
        try:
            self.prefetch = self.outstanding_message_count + 1
            message = super().__next__()  # type: ignore[no-untyped-call]
        finally:
            # A message for an actor that is not ours never reaches it; Dramatiq puts it aside.
            if message is None or message.actor_name != ACTOR:
                slot.free()
        return message  # type: ignore[no-any-return]


class Consumer:
    """Takes ids off the queue and has them handled, one running job at a time."""

    def __init__(self, broker: SlotBroker, handle: Handle) -> None:
        self._slot = broker.slot = Slot()
        self._handle = handle
        dramatiq.Actor(self._deliver, broker=broker, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={})
        self._worker = Worker(broker, worker_threads=THREADS, worker_timeout=WORKER_TIMEOUT_MS)

    def start(self) -> None:
        self._worker.start()

    def drain(self) -> None:
        """Fetch nothing any more; what runs goes on."""
        self._slot.close()

    def wait_idle(self, timeout_s: float) -> bool:
        """True once no job is running."""
        return self._slot.wait_free(timeout_s)

    def stop(self) -> None:
        """Give back what was fetched and not begun, and end the threads."""
        self._worker.stop(timeout=STOP_MS)

    def _deliver(self, *arguments: object) -> None:
        freed = False

        def free() -> None:
            nonlocal freed
            if not freed:
                freed = True
                self._slot.free()

        try:
            (job_id,) = (UUID(str(argument)) for argument in arguments)
        except ValueError:
            log.error("dropped a message that is not a job id", content=str(arguments)[:100])  # noqa: TRY400
            free()
            return
        self._handle(job_id, free)
