"""Pooled Postgres: one place that turns lost connections into one exception, quickly, and counts them."""

import select
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from services.common.settings import Settings

Row = dict[str, Any]

# Reconnection attempts back off exponentially for this long, then wait for the next caller to start over: an
# outage of an hour must not be followed by minutes of waiting for the next attempt.
RECONNECT_S = 5.0

# Classes of SQLSTATE: connection, authorization, resources (too many connections), operator intervention.
_LOST = ("08", "28", "53", "57P")

# What code of today finds in a database of yesterday.
_OLD_SCHEMA = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
# A server that only reads is a standby, or one that is about to become one.
_UNUSABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    *_OLD_SCHEMA,
    psycopg.errors.ReadOnlySqlTransaction,
)

# Right after a failure the next callers get their error sooner, so that an outage does not tie up every thread.
IMPATIENT_FOR_S = 2.0
IMPATIENT_WAIT_S = 0.3


class DatabaseUnavailable(Exception):  # noqa: N818 - reads as what it is
    """Postgres does not answer, refuses us or our writes, or dropped the connection in the middle."""


def storable_text(value: str) -> str:
    """The text with NUL and lone surrogates written as escapes: Postgres refuses them."""
    return value.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


class Connection(psycopg.Connection[DictRow]):
    """Gives up on a server that holds the connection open and says nothing; libpq would wait for ever."""

    answer_s = 12.0

    @classmethod
    def connect(cls, conninfo: str = "", *, second: Callable[[], str | None] = lambda: None, **options: Any) -> Self:  # type: ignore[override]
        """Connect; where that is refused, with the DSN that ``second`` gives while the password is being changed."""
        try:
            return super().connect(conninfo, **options)
        except psycopg.OperationalError:
            if (other := second()) is None:
                raise
            return super().connect(other, **options)

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().wait(_bounded(gen, self.answer_s), *args, **kwargs)
        except _NoAnswer:
            self.pgconn.finish()
            raise


class _NoAnswer(psycopg.OperationalError):
    pass


def _bounded(gen: Generator[Any, Any, Any], limit_s: float) -> Generator[Any, Any, Any]:
    """The same generator; psycopg wakes it up at intervals, and after ``limit_s`` seconds it raises."""
    deadline = time.monotonic() + limit_s
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise _NoAnswer(f"Postgres did not answer within {limit_s:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


class Database:
    """A pool of autocommit connections. Nothing connects before ``open``, which does not wait for Postgres.

    ``timeout_s`` bounds the wait for a usable connection, ``statement_timeout_s`` each statement;
    ``on_error`` is called once per lost or refused connection.
    """

    def __init__(
        self,
        settings: Settings,
        application: str,
        *,
        max_size: int = 8,
        timeout_s: float = 2.0,
        statement_timeout_s: float = 10.0,
        on_error: Callable[[], None] = lambda: None,
    ) -> None:
        self._timeout_s = timeout_s
        self._failed_at = float("-inf")
        self._answer_s = statement_timeout_s + 2
        self._on_error = on_error

        def dsn(number: int) -> str | None:
            known = settings.postgres_dsns(application, statement_timeout_s)
            return known[number].get_secret_value() if number < len(known) else None

        self._pool: ConnectionPool[Connection] = ConnectionPool(
            # A function: the pool asks for it at each connection, and the password may be another one by then.
            lambda: dsn(0) or "",
            kwargs={"autocommit": True, "row_factory": dict_row, "second": lambda: dsn(1)},
            connection_class=Connection,
            min_size=1,
            max_size=max_size,
            timeout=timeout_s,
            reconnect_timeout=RECONNECT_S,
            check=_check,
            open=False,
            name=application,
        )

    def open(self) -> None:
        self._pool.open(wait=False)

    def close(self) -> None:
        self._pool.close(timeout=2.0)

    @contextmanager
    def connection(self, answer_s: float | None = None) -> Iterator[Connection]:
        """A connection for several statements, each answered within ``answer_s``; ``DatabaseUnavailable``."""
        try:
            with self._pool.connection(self._patience()) as connection:
                connection.answer_s = answer_s or self._answer_s
                yield connection
        except _UNUSABLE as error:
            if _connection_lost(error):
                self._failed_at = time.monotonic()
                self._on_error()
            raise DatabaseUnavailable(_reason(error)) from error

    def _patience(self) -> float:
        failed_lately = time.monotonic() - self._failed_at < IMPATIENT_FOR_S
        return min(self._timeout_s, IMPATIENT_WAIT_S) if failed_lately else self._timeout_s

    def ping(self, answer_s: float = 2.0) -> None:
        """Raise ``DatabaseUnavailable`` unless Postgres answers within ``answer_s`` seconds."""
        with self.connection(answer_s) as connection:
            connection.execute("SELECT 1")

    def rows(self, query: str, params: Row | None = None, answer_s: float | None = None) -> list[Row]:
        """All rows of one statement, which is its own transaction and is answered within ``answer_s`` seconds."""
        with self.connection(answer_s) as connection:
            return connection.execute(query.encode(), params).fetchall()

    def row(self, query: str, params: Row | None = None) -> Row | None:
        with self.connection() as connection:
            return connection.execute(query.encode(), params).fetchone()

    def execute(self, query: str, params: Row | None = None) -> None:
        with self.connection() as connection:
            connection.execute(query.encode(), params)


def _check(connection: Connection) -> None:
    """Notice a connection that Postgres has closed, at no round trip: an idle socket has nothing to read."""
    if select.select([connection], [], [], 0)[0]:
        ConnectionPool.check_connection(connection)


def _connection_lost(error: psycopg.Error) -> bool:
    """Not so for what a healthy connection reports: a statement too slow, a lock not had, a missing table."""
    return error.sqlstate is None or error.sqlstate.startswith(_LOST)


def _reason(error: psycopg.Error) -> str:
    if isinstance(error, _OLD_SCHEMA):
        return "the database's schema is missing or old: run the service `migrate`"
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "Postgres is read-only: a standby, or one that takes over"
    if isinstance(error, PoolTimeout):
        return "no connection to Postgres could be had in time"
    return " ".join(str(error).split()) or type(error).__name__
