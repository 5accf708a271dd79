"""One connection to Postgres for as long as it is needed: for a snapshot, and for making and renaming databases."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

#: Statements wait so long for a table that another session has locked.
LOCK_WAIT_S = 15
CANCEL_WAIT_S = 5.0
#: Rows are written as text in the same way, whatever the server is set to: their hashes are compared.
_SAME_TEXT = (
    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c bytea_output=hex -c extra_float_digits=1"
    " -c search_path=pg_catalog"
)
#: A rule for transactions that are forgotten leaves those of pg_dump out, and this one is open as long as it.
NAME = "pg_dump of tradebot"


class Session:
    """Statements one after another; each raises as ``Postgres`` does. No statement has a deadline: tables are large."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]], failure: Callable[[psycopg.Error], OpsError]):
        self._connection, self._failure = connection, failure

    def rows(self, query: Any, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        try:
            cursor = self._connection.execute(query, params or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise self._failure(error) from None

    def cancel(self) -> None:
        """End the statement that another thread waits for, if there is one; a lost connection has ended it already."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=CANCEL_WAIT_S)

    def set_password(self, role: str, password: Secret) -> None:
        """Hashed here: a plain password would stand in the server's log."""
        hashed = self._connection.pgconn.encrypt_password(password.reveal().encode(), role.encode(), b"scram-sha-256")
        self.rows(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), hashed.decode()))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        try:
            with self._connection.transaction():
                yield
        except psycopg.Error as error:
            raise self._failure(error) from None

    @contextmanager
    def snapshot(self) -> Iterator[str]:
        """One moment of the database, and its name, by which another connection sees the same."""
        with self.transaction():
            self.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield str(self.rows("SELECT pg_export_snapshot() AS name")[0]["name"])


@contextmanager
def opened(
    connect: Callable[[str, str], psycopg.Connection[dict[str, Any]]], failure: Callable[[psycopg.Error], OpsError]
) -> Iterator[Session]:
    """A session over ``connect``, which gets options for the server and the name to be seen under."""
    options = f"{_SAME_TEXT} -c lock_timeout={LOCK_WAIT_S}s -c statement_timeout=0"
    try:
        connection = connect(options, NAME)
    except psycopg.Error as error:
        raise failure(error) from None
    try:
        yield Session(connection, failure)
    finally:
        connection.close()
