"""Faults of Redis and Postgres that leave them running."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from tests.drill.alerts.drilling import patient
from tests.drill.causes import app, snapshot_fails
from tests.drill.faults import postgres, redis_client
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.context import Ops

#: What the drill itself puts into Redis, so that a share of its memory does not hang on a few buffers of clients.
FILLING, VALUE = "drill:filling:", "x" * 10_000
VALUES = 2_000
#: Sessions that Postgres keeps for superusers are no client's.
SUPERUSERS = 3
CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL"


@contextmanager
def filled(client: Any) -> Iterator[None]:
    """Keys that nobody misses, and the limits as they were once they are gone."""
    before = {name: client.config_get(name)[name] for name in ("maxmemory", "maxmemory-policy", "maxmemory-samples")}
    pipeline = client.pipeline(transaction=False)
    for number in range(VALUES):
        pipeline.set(f"{FILLING}{number}", VALUE, ex=3600)
    pipeline.execute()
    try:
        yield
    finally:
        for name, value in before.items():
            client.config_set(name, value)
        for number in range(VALUES):
            client.delete(f"{FILLING}{number}")


@contextmanager
def redis_nearly_full(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Nine tenths of its limit are in use: it takes all that it is told."""
    with redis_client(ops) as client, filled(client):
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] / 0.9))
        yield


@contextmanager
def redis_evicts(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """For a moment; of the keys that it may throw away, the drill's own were longest without use."""
    with redis_client(ops) as client, filled(client):
        limit = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory-samples", 64)
        client.config_set("maxmemory-policy", "volatile-lru")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 0.8))
        until(lambda: client.info("stats")["evicted_keys"] > 0, "Redis evicts")
        client.config_set("maxmemory", limit)
        yield


@contextmanager
def redis_without_limit(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    with redis_client(ops) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 0)
        try:
            yield
        finally:
            client.config_set("maxmemory", before)


def redis_refuses(*commands: str) -> Callable[[Tradebot, Ops], contextlib.AbstractContextManager[None]]:
    """It refuses the services these commands; the rest goes on."""

    @contextmanager
    def breaking(_stack: Tradebot, ops: Ops) -> Iterator[None]:
        with redis_client(ops) as client:
            client.execute_command("ACL", "SETUSER", "default", *(f"-{command}" for command in commands))
            try:
                yield
            finally:
                client.execute_command("ACL", "LOAD")

    return breaking


@contextmanager
def transaction_left_open(stack: Tradebot, ops: Ops) -> Iterator[None]:
    with closing(psycopg.connect(postgres(stack, ops))) as forgotten:
        forgotten.execute("SELECT count(*) FROM job")
        yield


@contextmanager
def query_that_runs_on(stack: Tradebot, ops: Ops) -> Iterator[None]:
    with closing(psycopg.connect(postgres(stack, ops))) as connection:
        connection.pgconn.send_query(b"SELECT pg_sleep(3600)")
        try:
            yield
        finally:
            connection.cancel()


@contextmanager
def statement_slow_each_time(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Six seconds each, over and over, beside the many quick ones of the services."""
    over = threading.Event()

    def ask() -> None:
        with psycopg.connect(postgres(stack, ops), autocommit=True) as connection:
            while not over.is_set():
                connection.execute("SELECT pg_sleep(6), 'drill'")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)


@contextmanager
def deadlocks(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Two sessions take two locks in opposite order, three times; Postgres ends one of them each time."""
    address = postgres(stack, ops)
    for _ in range(3):
        with closing(psycopg.connect(address)) as one, closing(psycopg.connect(address)) as other:
            one.execute("SELECT pg_advisory_xact_lock(1)")
            other.execute("SELECT pg_advisory_xact_lock(2)")
            one.pgconn.send_query(b"SELECT pg_advisory_xact_lock(2)")
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                other.execute("SELECT pg_advisory_xact_lock(1)")
    yield


def connections_taken(share: float | None) -> Callable[[Tradebot, Ops], contextlib.AbstractContextManager[None]]:
    """So large a share of the sessions open to clients is in use; None: all, until no other client is let in."""

    @contextmanager
    def breaking(stack: Tradebot, ops: Ops) -> Iterator[None]:
        with closing(psycopg.connect(postgres(stack, ops), autocommit=True)) as admin, ExitStack() as opened:
            most = int(_one(admin, "SHOW max_connections")) - SUPERUSERS
            with contextlib.suppress(psycopg.OperationalError):
                while share is None or _one(admin, CLIENTS) < share * most:
                    opened.enter_context(closing(psycopg.connect(app(stack, ops))))
            yield

    return breaking


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


@contextmanager
def services_refused(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Postgres lets its exporter in, and neither the API nor the workers."""
    with closing(psycopg.connect(postgres(stack, ops), autocommit=True)) as admin:
        admin.execute("ALTER ROLE tradebot_app NOLOGIN")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tradebot_app'")
        try:
            yield
        finally:
            admin.execute("ALTER ROLE tradebot_app LOGIN")


@contextmanager
def view_refused_to_exporter(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """It is let in, and may not read one of the views that it reads."""
    with closing(psycopg.connect(postgres(stack, ops), autocommit=True)) as admin:
        view = sql.Identifier("pg_stat_archiver")
        admin.execute(sql.SQL("REVOKE SELECT ON {} FROM PUBLIC").format(view))
        try:
            yield
        finally:
            admin.execute(sql.SQL("GRANT SELECT ON {} TO PUBLIC").format(view))


#: They disturb nobody, and take minutes to be told.
SLOW = (
    patient("transaction left open", transaction_left_open, ("IdleInTransaction",)),
    patient("query that runs on", query_that_runs_on, ("SlowQueries",)),
    patient("Redis cannot write a snapshot", snapshot_fails, ("RedisPersistenceFailing",)),
    patient("view refused to an exporter", view_refused_to_exporter, ("ExporterScrapeError",)),
    patient("Redis without a limit", redis_without_limit, ("RedisNoMaxmemory",)),
    patient("statement slow each time", statement_slow_each_time, ("SlowQueriesMean",), at_once=False),
    patient("three deadlocks", deadlocks, ("PostgresDeadlocks",), at_once=False),
)
NEARLY_FULL = (
    patient("85 % of connections taken", connections_taken(0.85), ("HighDatabaseConnections",)),
    patient("Redis nearly full", redis_nearly_full, ("RedisMemoryHigh",)),
)
EVICTS = patient("Redis evicts keys", redis_evicts, ("RedisEvictingKeys",), at_once=False)
ALL_TAKEN = patient("all connections taken", connections_taken(None), ("DatabaseConnectionsExhausted",))
#: Nobody can be told meanwhile: the store is behind what refuses.
REFUSE = (
    patient("Postgres refuses the services", services_refused, ("DatabaseConnectionFailures",), hides_store=True),
    patient(
        "Redis refuses lengths",
        redis_refuses("llen"),
        ("QueueMetricsMissing",),
        frozenset({"RedisOperationsFailing"}),
        hides_store=True,
    ),
)
