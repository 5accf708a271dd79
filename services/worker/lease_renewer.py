"""Keeps the leases of running attempts alive, passes their progress on, and hears of cancellation."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import structlog

from services.common.database import DatabaseUnavailable
from services.common.ledger import Claim, Ledger, Renewal
from services.worker.outcome import Stop
from services.worker.supervise import StopRequest

# Often enough for a cancellation to be heard soon, and for a lease to survive some failed attempts.
RENEW_S = 2.0
RENEWALS_PER_LEASE = 4
TICK_S = 0.5

log = structlog.get_logger(__name__)


@dataclass
class Held:
    """A claim in our hands; ``progress`` is set by the supervising thread and taken by the lease renewer's."""

    claim: Claim
    stop_request: StopRequest = field(default_factory=StopRequest)
    progress: tuple[float, str] | None = None
    renewed_at: float = field(default_factory=time.monotonic)

    def report(self, fraction: float, note: str) -> None:
        self.progress = (fraction, note)


class LeaseRenewer:
    """One thread for all claims of this worker: a slow database delays leases, never the watch over a job."""

    def __init__(self, ledger: Ledger, lease_s: float) -> None:
        self._ledger = ledger
        self.lease_s = lease_s
        self._renew_s = min(RENEW_S, lease_s / RENEWALS_PER_LEASE)
        self._held: dict[int, Held] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lease-renewer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def holds(self) -> bool:
        """Whether an attempt runs, or its outcome is not recorded yet."""
        return bool(self._held)

    @contextmanager
    def keep(self, claim: Claim) -> Iterator[Held]:
        """Renew the claim's lease until the block is left."""
        held = Held(claim)
        self._held[id(held)] = held
        try:
            yield held
        finally:
            del self._held[id(held)]

    def stop_all(self, why: Stop) -> None:
        """Order every running attempt to end."""
        for held in list(self._held.values()):
            held.stop_request.stop = held.stop_request.stop or why

    def _loop(self) -> None:
        while not self._closing.wait(TICK_S):
            for held in list(self._held.values()):
                try:
                    self._renew(held)
                except (DatabaseUnavailable, psycopg.Error) as error:
                    # Whatever it is, it may pass; the lease of every other job is at stake, too.
                    log.warning("lease not renewed", job_id=str(held.claim.id), reason=str(error))

    def _renew(self, held: Held) -> None:
        answer = Renewal.HELD
        if (progress := held.progress) is not None:
            held.progress = None
            answer = self._ledger.progress(held.claim, *progress)
        if time.monotonic() - held.renewed_at >= self._renew_s:
            answer = self._ledger.renew(held.claim, self.lease_s)
            held.renewed_at = time.monotonic()
        if answer is Renewal.CANCEL:
            held.stop_request.stop = held.stop_request.stop or Stop.CANCEL
        elif answer is Renewal.LOST:
            held.stop_request.stop = Stop.LOST
