"""Dramatiq's worker on one queue, fetching a message only when it can run at once, or nearly so."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import dramatiq
import redis
import structlog
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from dramatiq.worker import Worker

from services.common.transport import ACTOR
from services.worker.heartbeat import CONSUMER, JOB, MESSAGE, Liveness

# The second thread claims the next job while the first one records its outcome and acknowledges the message.
THREADS = 2
STOP_MS = 5_000
# A job that runs for longer than this is a long one.
PATIENCE_S = 0.15

log = structlog.get_logger(__name__)

Handle = Callable[[UUID, Callable[[], None]], None]
"""``handle(job_id, free)``: does the job; calls ``free`` once the next one may begin."""


class Slot:
    """Room for one running job, and for one message in hand that is about to run.

    A message is fetched ahead only while the running job is young: if that job turns out to be a long one, the
    message is given back, so none waits behind it. For short jobs the fetch costs no time.
    """

    def __init__(self, patience_s: float = PATIENCE_S, liveness: Liveness | None = None) -> None:
        self._patience_s = patience_s
        self._liveness = liveness or Liveness()
        self._changed = threading.Condition()
        self._in_hand = False
        self._running_since: float | None = None
        self._closed = False
        self._paused = False

    def reserve(self, timeout_s: float) -> bool:
        """Wait for room to fetch one message; False when there is none in time, or no more ever."""
        self._liveness.tick(CONSUMER)
        with self._changed:
            if self._shut:
                self._changed.wait(timeout_s)
                return False
            if not self._changed.wait_for(self._may_fetch, timeout_s) or self._shut:
                return False
            self._in_hand = True
            self._liveness.tick(MESSAGE)
            return True

    def drop(self) -> None:
        """Nothing was there to be fetched, or it was not for us."""
        with self._changed:
            self._put_down()

    def enter(self) -> bool:
        """Run the message in hand as soon as the running job ends; False: give it back."""
        with self._changed:
            ended = self._changed.wait_for(lambda: self._running_since is None or self._shut, self._patience_s)
            if ended and not self._shut:
                self._running_since = time.monotonic()
                self._liveness.tick(JOB)
            self._put_down()
            return ended and not self._shut

    def leave(self) -> None:
        """The job has ended."""
        with self._changed:
            self._running_since = None
            self._liveness.rest(JOB)
            self._changed.notify_all()

    def close(self) -> None:
        """Fetch and begin nothing from here on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Fetch and begin nothing for now, or go on."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """True once no job is running."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running_since is None, timeout_s)

    def _put_down(self) -> None:
        self._in_hand = False
        self._liveness.rest(MESSAGE)
        self._changed.notify_all()

    @property
    def _shut(self) -> bool:
        return self._closed or self._paused

    def _may_fetch(self) -> bool:
        if self._shut:
            return True
        since = self._running_since
        return not self._in_hand and (since is None or time.monotonic() - since < self._patience_s)


class SlotBroker(RedisBroker):
    """A Redis broker whose consumer of live messages waits for the slot before it fetches."""

    slot: Slot

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        kind = _PatientConsumer if queue_name in self.delay_queues else _SlotConsumer
        return kind(self, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]


class _PatientConsumer(_RedisConsumer):
    """Dramatiq waits for a Redis that it cannot reach. One that hangs or refuses a command is to be waited for, too.

    Else a time-out while messages are given back, such as delayed ones in hand, ends the thread for good, and each
    refusal is logged as an exception that nobody foresaw.
    """

    def __next__(self) -> MessageProxy | None:
        with _waited_for():
            return super().__next__()  # type: ignore[no-any-return, no-untyped-call]

    def ack(self, message: MessageProxy) -> None:
        with _waited_for():
            super().ack(message)  # type: ignore[no-untyped-call]

    def nack(self, message: MessageProxy) -> None:
        with _waited_for():
            super().nack(message)  # type: ignore[no-untyped-call]

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        with _waited_for():
            super().requeue(messages)  # type: ignore[no-untyped-call]


@contextmanager
def _waited_for() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise ConnectionClosed(error) from error  # type: ignore[no-untyped-call]


class _SlotConsumer(_PatientConsumer):
    """Dramatiq counts what is not yet acknowledged against its prefetch; here the slot decides alone."""

    broker: SlotBroker

    def __next__(self) -> MessageProxy | None:
        slot = self.broker.slot
        if not slot.reserve(self.timeout / 1000):
            return None
        message = None
        try:
            self.prefetch = self.outstanding_message_count + 1
            message = super().__next__()
        finally:
            # A message for an actor that is not ours never reaches it, one for later not yet: Dramatiq puts both aside.
            if message is None or message.actor_name != ACTOR or "eta" in message.options:
                slot.drop()
        return message


class Consumer:
    """Takes ids off the queue and has them handled, one running job at a time.

    Idle, it looks every ``idle_ms`` milliseconds: at 50 a job begins after 28 ms, at Dramatiq's 1000 after 139.
    """

    def __init__(
        self,
        queue: str,
        broker: SlotBroker,
        handle: Handle,
        give_back: Callable[[UUID], None],
        liveness: Liveness | None = None,
        *,
        idle_ms: int,
    ) -> None:
        self._slot = broker.slot = Slot(liveness=liveness)
        self._handle = handle
        self._give_back = give_back
        dramatiq.Actor(self._deliver, broker=broker, actor_name=ACTOR, queue_name=queue, priority=0, options={})
        self._worker = Worker(broker, worker_threads=THREADS, worker_timeout=idle_ms)

    def start(self) -> None:
        self._worker.start()

    def drain(self) -> None:
        """Fetch and begin nothing any more; what runs goes on."""
        self._slot.close()

    def pause(self, *, paused: bool) -> None:
        """Fetch and begin nothing for now, or go on; what runs goes on in any case."""
        self._slot.pause(paused=paused)

    def wait_idle(self, timeout_s: float) -> bool:
        """True once no job is running."""
        return self._slot.wait_idle(timeout_s)

    def stop(self) -> None:
        """End the threads."""
        self._worker.stop(timeout=STOP_MS)

    def dead(self) -> list[str]:
        """Threads that have ended; there are none until ``stop``, but for a fault that nobody foresaw."""
        threads: dict[str, threading.Thread] = {
            **{f"consumer of {name}": thread for name, thread in self._worker.consumers.items()},
            **{f"runner {number}": thread for number, thread in enumerate(self._worker.workers)},
        }
        return [name for name, thread in threads.items() if not thread.is_alive()]

    def _deliver(self, *arguments: object) -> None:
        try:
            (job_id,) = (UUID(str(argument)) for argument in arguments)
        except ValueError:
            log.error("dropped a message that is not a job id", content=str(arguments)[:100])  # noqa: TRY400
            self._slot.drop()
            return
        if not self._slot.enter():
            self._give_back(job_id)
            return
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._slot.leave()

        self._handle(job_id, leave)
