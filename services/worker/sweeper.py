"""Sends ids that the transport has lost, delayed too long, or never got, and makes the jobs of schedules."""

import threading
import time
from collections.abc import Callable, Sequence

import psycopg
import redis
import structlog

from services.common.database import DatabaseUnavailable
from services.common.jobtypes import registry
from services.common.ledger import Ledger, Schedules
from services.common.transport import Transport, TransportUnavailable, queue_of

SWEEP_S = 3.0
BATCH = 500
# After a loss of everything, another sweeper that does not know of it may be at work: try some times.
TRIES_AFTER_LOSS = 3
BATCH_AFTER_LOSS = 20_000
# After a silence of Postgres, leases of workers that live have run out, too: they get the time to renew them.
SILENCE_S = 2 * SWEEP_S
RENEWAL_S = 6.0

log = structlog.get_logger(__name__)


class Sweeper:
    """A thread in every worker; the ledger's lock lets one of them do the work.

    ``beating`` names the workers that were just heard of, and raises ``redis.RedisError``; ``clock`` counts seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        schedules: Schedules,
        transport: Transport,
        beating: Callable[[], Sequence[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._schedules = schedules
        self._transport = transport
        self._beating = beating
        self._closed = False
        self._wanted = threading.Event()
        self._tries_after_loss = 0
        self._clock = clock
        self._answered_at = clock()
        self._spare_until = float("-inf")
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)

    def start(self) -> None:
        self._answered_at = self._clock()
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        self.wake()

    def wake(self) -> None:
        """Sweep now: there may be room for a job that was held back."""
        self._wanted.set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def sweep(self) -> int:
        """One round; how many ids were sent.

        Raises ``DatabaseUnavailable``, ``TransportUnavailable`` and ``redis.RedisError``.
        """
        made = self._schedules.make_due(ahead_s=SWEEP_S)
        try:
            if self._transport.forgot_everything():
                self._tries_after_loss = TRIES_AFTER_LOSS
            beating = self._beating()
        except (TransportUnavailable, redis.RedisError):
            # That no job is looked for now is Redis' silence.
            self._postgres_answered()
            raise
        lost = self._tries_after_loss > 0
        batch = BATCH_AFTER_LOSS if lost else BATCH
        with self._ledger.overdue(batch, ahead_s=SWEEP_S, all_sent=lost, beating=beating) as due:
            # Only here: while the table of jobs is locked, no lease is renewed, but schedules are read.
            self._postgres_answered()
            if self._clock() < self._spare_until:
                due[:] = [each for each in due if not each.taken_over]
            for each in due:
                self._transport.send(
                    each.id, queue_of(registry().get(each.type)), delay_s=each.delay_s, ahead=each.taken_over
                )
        self._tries_after_loss = 0 if due else max(self._tries_after_loss - 1, 0)
        if due:
            log.info("sent again", jobs=len(due), of_schedules=made, transport_lost_everything=lost)
        return len(due)

    def _postgres_answered(self) -> None:
        now = self._clock()
        if now - self._answered_at > SILENCE_S:
            self._spare_until = now + RENEWAL_S
        self._answered_at = now

    def _loop(self) -> None:
        while True:
            self._wanted.wait(SWEEP_S)
            self._wanted.clear()
            if self._closed:
                return
            try:
                self.sweep()
            except (DatabaseUnavailable, TransportUnavailable, psycopg.Error, redis.RedisError) as error:
                log.warning("not swept", reason=" ".join(str(error).split()))
