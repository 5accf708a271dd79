"""Sends ids again that the transport has lost, delayed too long, or never got: one sweeper at a time."""

import threading

import psycopg
import structlog

from services.common.database import DatabaseUnavailable
from services.common.ledger import Ledger
from services.common.transport import Transport, TransportUnavailable

SWEEP_S = 3.0
BATCH = 500
# After a loss of everything, another sweeper that does not know of it may be at work: try some times.
TRIES_AFTER_LOSS = 3
BATCH_AFTER_LOSS = 20_000

log = structlog.get_logger(__name__)


class Sweeper:
    """A thread in every worker; the ledger's lock lets one of them do the work."""

    def __init__(self, ledger: Ledger, transport: Transport) -> None:
        self._ledger = ledger
        self._transport = transport
        self._closing = threading.Event()
        self._tries_after_loss = 0
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def sweep(self) -> int:
        """One round; how many ids were sent. Raises ``DatabaseUnavailable`` and ``TransportUnavailable``."""
        if self._transport.forgot_everything():
            self._tries_after_loss = TRIES_AFTER_LOSS
        lost = self._tries_after_loss > 0
        with self._ledger.overdue(BATCH_AFTER_LOSS if lost else BATCH, all_sent=lost) as due:
            for each in due:
                self._transport.send(each.id, ahead=each.taken_over)
        self._tries_after_loss = 0 if due else max(self._tries_after_loss - 1, 0)
        if due:
            log.info("sent again", jobs=len(due), transport_lost_everything=lost)
        return len(due)

    def _loop(self) -> None:
        while not self._closing.wait(SWEEP_S):
            try:
                self.sweep()
            except (DatabaseUnavailable, TransportUnavailable, psycopg.Error) as error:
                log.warning("not swept", reason=" ".join(str(error).split()))
