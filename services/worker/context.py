"""Context of a job in its process: its connection to Postgres, and to the parent."""

import select
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg.pq import TransactionStatus

from services.common.jobtypes import BREAKER_POLICY, BreakerPolicy, JobCancelled, JobLog
from services.common.settings import Settings
from services.worker.effect import once

if TYPE_CHECKING:
    import redis

    from services.common.breaker import Breakers
    from services.jobs.exchange.budget import Budget
    from services.jobs.market.candles import Candles
    from services.jobs.market.intervals import Interval

PROGRESS_EVERY_S = 0.1
LONGEST_NOTE = 500
RESULTS = "SELECT result FROM job WHERE parent = %s AND state = 'succeeded' ORDER BY part"


class Store:
    """The job process' connection, opened when a job first needs it and kept for the next one.

    Statements have no time limit of their own: the job has one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the job of now lost its connection, or got none: what failed then is not the job's fault."""
        return self._lost or (self._connection is not None and self._connection.closed)

    def get(self) -> psycopg.Connection[Any]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        once_open = self._connection is not None
        self._lost = True
        self._connection = self._connect()
        # A job that reconnects and then reports the first failure lost its connection all the same.
        self._lost = once_open
        return self._connection

    def _connect(self) -> psycopg.Connection[Any]:
        """While the password is being changed, one of the two is right."""
        *others, last = self._settings.postgres_dsns("job", statement_timeout_s=0, lock_timeout_s=0)
        for dsn in others:
            with suppress(psycopg.OperationalError):
                return psycopg.connect(dsn.get_secret_value(), autocommit=True)
        return psycopg.connect(last.get_secret_value(), autocommit=True)

    def tidy(self) -> None:
        """Leave nothing of one job to the next: an open transaction, a dead connection."""
        self._lost = False
        if self._connection is None:
            return
        with suppress(psycopg.Error):
            if self._connection.info.transaction_status != TransactionStatus.IDLE:
                self._connection.rollback()
        self.discard_if_dead()

    def discard_if_dead(self) -> None:
        """Forget a connection that Postgres has closed, as it does with all when it restarts.

        Costs no round trip: an idle connection has nothing to read.
        """
        if self._connection is None:
            return
        if not self._connection.closed and select.select([self._connection], [], [], 0)[0]:
            with suppress(psycopg.Error):
                self._connection.execute("")
        if self._connection.closed:
            self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True)
class Shared:
    """State of services outside of the stack, shared by all workers; ``address`` is where their requests come from."""

    breakers: "Breakers"
    redis: "redis.Redis"
    address: str


class ChildContext:
    """The ``JobContext`` of one attempt."""

    def __init__(
        self,
        job_id: str,
        lease_token: int,
        store: Store,
        shared: "Callable[[], Shared]",
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._job_id = job_id
        self._lease_token = lease_token
        self._shared = shared
        self._store = store
        self._send = send
        self._reported_at = 0.0
        self.cancelled = False
        self._log: JobLog = structlog.get_logger("services.jobs")

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def log(self) -> JobLog:
        return self._log

    @property
    def store(self) -> psycopg.Connection[Any]:
        return self._store.get()

    def results(self) -> list[dict[str, Any]]:
        """Those of the job's parts, in their order."""
        return [result for (result,) in self.store.execute(RESULTS, [self._job_id])]

    def effect(self, key: str) -> AbstractContextManager[psycopg.Connection[Any] | None]:
        return once(self.store, self._job_id, self._lease_token, key)

    def progress(self, fraction: float, note: str = "") -> None:
        """Also the place where a cancelled job ends. More than ten a second are dropped."""
        self.check_cancelled()
        if time.monotonic() - self._reported_at >= PROGRESS_EVERY_S:
            self._reported_at = time.monotonic()
            # Written so that NaN, too, becomes a number that JSON has.
            known = min(float(fraction), 1.0) if fraction > 0 else 0.0
            self._send({"kind": "progress", "fraction": known, "note": str(note)[:LONGEST_NOTE]})

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise JobCancelled

    def breaker(
        self, name: str, failures: tuple[type[BaseException], ...] = (Exception,), policy: BreakerPolicy | None = None
    ) -> AbstractContextManager[None]:
        return self._shared().breakers.guard(name, failures, policy or BREAKER_POLICY)

    def budget(self, name: str, points: float, per_s: float) -> "Budget":
        from services.jobs.exchange.budget import Budget

        return Budget(self._shared().redis, name, self._shared().address, points, per_s)

    def candles(
        self, symbol: str, start: date | None = None, end: date | None = None, interval: "Interval" = "1d"
    ) -> "Candles":
        from services.jobs.market import store

        return store.read(self.store, symbol, start, end, interval)
