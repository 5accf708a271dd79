"""Pooled Postgres: one place that turns lost connections into one exception, quickly, and counts them."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from services.common.settings import Settings

Connection = psycopg.Connection[DictRow]
Row = dict[str, Any]

# Reconnection attempts back off exponentially for this long, then wait for the next caller to start over: an
# outage of an hour must not be followed by minutes of waiting for the next attempt.
RECONNECT_S = 5.0


class DatabaseUnavailable(Exception):  # noqa: N818 - reads as what it is
    """Postgres does not answer, refuses us, or dropped the connection in the middle."""


class Database:
    """A pool of autocommit connections. Nothing connects before ``open``, which does not wait for Postgres.

    ``timeout_s`` bounds the wait for a usable connection; ``on_error`` is called once per lost or refused
    one.
    """

    def __init__(
        self,
        settings: Settings,
        application: str,
        *,
        max_size: int = 8,
        timeout_s: float = 2.0,
        on_error: Callable[[], None] = lambda: None,
    ) -> None:
        self._timeout_s = timeout_s
        self._on_error = on_error
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            settings.postgres_dsn(application),
            kwargs={"autocommit": True, "row_factory": dict_row},
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
    def connection(self) -> Iterator[Connection]:
        """A connection for several statements; raises ``DatabaseUnavailable``."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._on_error()
            raise DatabaseUnavailable(_reason(error)) from error

    def rows(self, query: str, params: Row | None = None) -> list[Row]:
        """All rows of one statement, which is its own transaction."""
        with self.connection() as connection:
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


def _reason(error: psycopg.Error) -> str:
    if isinstance(error, PoolTimeout):
        return "no connection to Postgres could be had in time"
    return " ".join(str(error).split()) or type(error).__name__
