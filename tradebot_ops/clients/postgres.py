"""Postgres, over psycopg: questions in SQL, read-only unless their method says otherwise, each within one deadline."""

import math
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tradebot_ops.clients.connection.deadline import within
from tradebot_ops.errors import NoDatabase, NoneLeft, OpsError, Refused, Unreachable
from tradebot_ops.settings import Secret

if TYPE_CHECKING:
    from tradebot_ops.clients.postgres_session import Session

Query = str | sql.SQL | sql.Composed
Row = dict[str, Any]
Connection = psycopg.Connection[Row]

#: psycopg knows no shorter deadline for connecting.
_LEAST_CONNECT_S = 2
#: libpq keeps no SQLSTATE of a login that failed, only the server's words.
_REFUSED = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|not permitted to log in|role \S+ does not exist"
    r"|permission denied for database"
)
#: The answer only to an account that has logged in.
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
_FULL = re.compile(r"too many (clients|connections)|remaining connection slots are reserved")
_LOST = ("08", "57P")  # classes of SQLSTATE: the connection broke, the server shuts down


@dataclass(frozen=True)
class Account:
    """Who asks, and which database."""

    user: str
    password: Secret
    database: str


class Postgres:
    """A client for one database.

    Each question has a connection of its own, so that one that hangs or fails disturbs no other, and ends within
    ``timeout`` seconds, also when the server accepts the connection and never answers.

    Every method raises ``Unreachable`` TB-0535 (no answer in time included), ``Refused`` TB-0536 when this account may
    not log in, or ``OpsError`` TB-0537 when Postgres cannot answer, with its own words.
    """

    def __init__(self, host: str, port: int, account: Account, timeout: float = 5.0) -> None:
        self._host, self._port, self._account, self._timeout = host, port, account, timeout

    def rows(self, query: Query, params: Sequence[Any] = ()) -> list[Row]:
        """The rows of one query, which may not write; with ``%s`` for each of ``params``."""
        return self._ask(lambda connection: _rows(connection, query, params))

    def samples(self, query: Query, count: int, between_s: float) -> list[Row]:
        """The rows of a query asked ``count`` times on one connection, each time of that moment."""

        def run(connection: Connection) -> list[Row]:
            found = _rows(connection, query)
            for _ in range(count - 1):
                time.sleep(between_s)
                found += _rows(connection, query)
            return found

        return self._ask(run)

    def rehearse(self, *queries: Query) -> list[Row]:
        """The rows of the last of ``queries``, run in one transaction that may write and is rolled back."""

        def run(connection: Connection) -> list[Row]:
            with connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION READ WRITE")
                return [_rows(connection, query) for query in queries][-1]

        return self._ask(run)

    def refusal(self) -> str:
        """Why this account may not log in; empty where it may, also where its database does not exist."""
        try:
            self.rows("SELECT 1")
        except NoDatabase:
            return ""
        except Refused as refused:
            return refused.message
        return ""

    @contextmanager
    def session(self, database: str = "") -> Iterator["Session"]:
        """A connection that may write and has no deadline, to this database or another one of the server."""
        from tradebot_ops.clients.postgres_session import opened

        name = database or self._account.database
        with opened(lambda options, seen_as: self._connect(name, options, seen_as), self._failure) as session:
            yield session

    def _ask(self, work: Callable[[Connection], list[Row]]) -> list[Row]:
        line = _Line()
        try:
            return within(self._timeout, lambda: line.use(self._connect, work), line.cut)
        except (TimeoutError, psycopg.errors.ConnectionTimeout):
            raise self._unreachable(f"did not answer within {self._timeout:g} s") from None
        except psycopg.Error as error:
            raise self._failure(error) from None

    def _connect(self, database: str = "", options: str = "", seen_as: str = "tradebot") -> Connection:
        milliseconds = max(int(self._timeout * 900), 1)  # the server gives up first, and says of what
        account = self._account
        return psycopg.connect(
            host=self._host,
            port=self._port,
            user=account.user,
            password=account.password.reveal(),
            dbname=database or account.database,
            connect_timeout=max(math.ceil(self._timeout), _LEAST_CONNECT_S),
            options=options
            or f"-c TimeZone=UTC -c default_transaction_read_only=on -c statement_timeout={milliseconds}",
            application_name=seen_as,
            # Passed here, or variables of the environment (PGSSLMODE, PGHOSTADDR …) would decide.
            sslmode="prefer",
            gssencmode="disable",
            hostaddr="",
            target_session_attrs="any",
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
        )

    def _failure(self, error: psycopg.Error) -> OpsError:
        words = self._account.password.hide_in(_words(error))  # the server, or what poses as one, may repeat it
        if error.sqlstate is None and _REFUSED.search(words):
            return Refused(
                f"Postgres refused the login of {self._account.user}: {words}.",
                code="TB-0536",
                hint="Is this the right project (-p)? Its data may be older than its secrets: tradebot logs postgres",
            )
        if error.sqlstate is None and _NO_DATABASE.search(words):
            return self._unreachable(f"cannot be reached: {words}", NoDatabase)
        if error.sqlstate is None and _FULL.search(words):
            return self._unreachable(f"has no connection left: {words}", NoneLeft)
        if error.sqlstate is None or error.sqlstate.startswith(_LOST):
            return self._unreachable(f"cannot be reached: {words}")
        return OpsError(f"Postgres cannot answer: {words}.", code="TB-0537", hint="tradebot logs postgres --tail 50")

    def _unreachable(self, why: str, kind: type[Unreachable] = Unreachable) -> Unreachable:
        return kind(
            f"Postgres at {self._host}:{self._port} {why}.",
            code="TB-0535",
            hint="tradebot status; tradebot logs postgres --tail 50",
        )


class _Line:
    """One connection that another thread may cut while it waits for the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._cut = False

    def use(self, connect: Callable[[], Connection], work: Callable[[Connection], list[Row]]) -> list[Row]:
        with connect() as connection:
            with self._lock:
                self._connection = connection
                if self._cut:
                    raise TimeoutError
            try:
                return work(connection)
            finally:
                with self._lock:
                    self._connection = None  # its descriptor may soon be another's

    def cut(self) -> None:
        """Who waits for the server sees the end of the connection."""
        with self._lock, suppress(OSError, psycopg.Error):
            self._cut = True
            if self._connection is not None:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)


def _rows(connection: Connection, query: Query, params: Sequence[Any] = ()) -> list[Row]:
    cursor = connection.execute(query, params or None)
    return cursor.fetchall() if cursor.description else []


def _words(error: psycopg.Error) -> str:
    """The server's words, without libpq's path to it."""
    text = error.diag.message_primary or " ".join(str(error).split())
    return text.rpartition("failed: ")[2].removeprefix("FATAL: ").strip().rstrip(".") or type(error).__name__
