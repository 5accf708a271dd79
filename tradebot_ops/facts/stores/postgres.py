"""Postgres: whether it keeps what it is given, how it is set, and how its insides are.

Asked as the account of the API and the workers.
"""

import secrets
import time
from dataclasses import dataclass
from itertools import pairwise

from tradebot_ops.context import Ops
from tradebot_ops.errors import NoneLeft, OpsError
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.stack.model import Stack

SERVICE = "postgres"
#: Connections kept for superusers where nothing else is set.
RESERVED = 3
#: Indexes above this size are left to the nightly check of the backup: reading them takes the disk from the jobs.
AMCHECK_BYTES = 64 * 1024 * 1024
SETTINGS = (
    "fsync", "full_page_writes", "synchronous_commit", "data_checksums", "password_encryption", "data_directory",
    "max_connections", "superuser_reserved_connections", "reserved_connections", "shared_buffers", "autovacuum",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A row that was written and read in a transaction of its own, which was rolled back."""

    read_back: bool
    seconds: float


@dataclass(frozen=True)
class Setting:
    """``value`` as ``SHOW`` writes it; ``pending``: another one is waiting for a restart."""

    value: str
    pending: bool = False


@dataclass(frozen=True)
class Connections:
    """``used`` by clients now; ``most`` that may be had without special rights. Idle ones hold a transaction open
    for more than five minutes.
    """

    used: int
    most: int
    idle_in_transaction: tuple[str, ...] = ()


@dataclass(frozen=True)
class Insides:
    """Shares are 0 to 1; ``wraparound`` of the two billion transactions after which Postgres stops writing."""

    wraparound: float
    dead: tuple[tuple[str, float, int], ...]
    cache_hits: float | None
    blocks_read: int
    longest_query_s: float
    blocked: int
    invalid_indexes: tuple[str, ...]
    unused_indexes: tuple[str, ...]


@dataclass(frozen=True)
class Slot:
    """A replication slot that nobody reads; ``held`` is the write-ahead log kept for it, in bytes."""

    name: str
    held: int


@dataclass(frozen=True)
class Horizon:
    """Transactions and slots that keep old rows and old log from being cleared away; ages in seconds."""

    oldest_snapshot_s: float
    prepared: tuple[tuple[str, float], ...]
    idle_slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Integrity:
    """``failures`` of checksums since statistics began. ``checked`` indexes were read just now, ``skipped`` are
    larger than 64 MiB; ``why`` says why none could be, ``damage`` what is wrong with one.
    """

    checksums: bool
    failures: int
    checked: int = 0
    skipped: int = 0
    why: str = ""
    damage: str = ""


@fact(effect=Effect.WRITES)
def written(ops: Ops) -> Written:
    from psycopg import sql

    name = sql.Identifier(f"tradebot_check_{secrets.token_hex(6)}")
    value = secrets.token_hex(8)
    began = time.perf_counter()
    rows = ops.postgres.rehearse(
        sql.SQL("CREATE TABLE {} (value text)").format(name),
        sql.SQL("INSERT INTO {} VALUES ({})").format(name, value),
        sql.SQL("SELECT value FROM {}").format(name),
    )
    return Written(rows == [{"value": value}], time.perf_counter() - began)


@fact()
def settings(ops: Ops) -> dict[str, Setting]:
    """The settings that safety depends on, and all that wait for a restart.

    Not those of the command line: Postgres marks them at every reload as if the file could change them.
    """
    rows = ops.postgres.rows(
        "SELECT name, current_setting(name) AS value, pending_restart AND source <> 'command line' AS pending"
        " FROM pg_settings WHERE name = ANY(%s) OR pending_restart",
        [list(SETTINGS)],
    )
    return {row["name"]: Setting(row["value"] or "", row["pending"]) for row in rows}


@fact()
def connections(ops: Ops) -> Connections:
    """Where not even this question gets one, all are taken: that much is known without an answer."""
    try:
        return _counted(ops)
    except NoneLeft:
        settings = declared(ops.stack)
        if "max_connections" not in settings:
            raise
        most = int(settings["max_connections"]) - int(settings.get("superuser_reserved_connections", RESERVED))
        return Connections(most, most)


def _counted(ops: Ops) -> Connections:
    (row,) = ops.postgres.rows(
        "SELECT count(*) AS used, current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int"
        " - coalesce(current_setting('reserved_connections', true)::int, 0) AS most,"
        " coalesce(array_agg(format('%s, process %s, %s s', coalesce(nullif(application_name, ''), usename), pid,"
        "   extract(epoch FROM now() - state_change)::int)) FILTER (WHERE state LIKE 'idle in transaction%'"
        "   AND now() - state_change > interval '5 minutes'), '{}') AS idle"
        " FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    # Who may have a reserved one, as this question may, comes on top: then nobody else gets one.
    return Connections(min(row["used"], row["most"]), row["most"], tuple(row["idle"]))


@fact()
def insides(ops: Ops) -> Insides:
    (row,) = ops.postgres.rows(_INSIDES)
    dead = ops.postgres.rows(
        "SELECT relname AS name, n_dead_tup AS dead, n_dead_tup::float / nullif(n_live_tup + n_dead_tup, 0) AS share"
        " FROM pg_stat_user_tables WHERE n_dead_tup > 10000 ORDER BY n_dead_tup DESC LIMIT 20"
    )
    return Insides(
        wraparound=row["wraparound"],
        dead=tuple((each["name"], each["share"], each["dead"]) for each in dead),
        cache_hits=row["hits"],
        blocks_read=row["read"],
        longest_query_s=row["longest"],
        blocked=row["blocked"],
        invalid_indexes=tuple(row["invalid"]),
        unused_indexes=tuple(row["unused"]),
    )


_INSIDES = """
SELECT
  (SELECT max(age(datfrozenxid)) / 2147483647.0 FROM pg_database)::float AS wraparound,
  (SELECT (sum(blks_hit) / nullif(sum(blks_hit) + sum(blks_read), 0))::float FROM pg_stat_database) AS hits,
  (SELECT coalesce(sum(blks_read), 0)::bigint FROM pg_stat_database) AS read,
  (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()) AS longest,
  (SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0) AS blocked,
  (SELECT coalesce(array_agg(indexrelid::regclass::text ORDER BY 1), '{}') FROM pg_index
    WHERE NOT indisvalid OR NOT indisready) AS invalid,
  (SELECT coalesce(array_agg(s.indexrelname::text ORDER BY 1), '{}')
    FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
    WHERE s.idx_scan = 0 AND NOT i.indisunique AND pg_relation_size(s.indexrelid) > 10 * 1024 * 1024
    AND (SELECT coalesce(stats_reset, pg_postmaster_start_time()) < now() - interval '7 days'
         FROM pg_stat_database WHERE datname = current_database())) AS unused
"""


@fact()
def horizon(ops: Ops) -> Horizon:
    (row,) = ops.postgres.rows(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float AS oldest"
        " FROM pg_stat_activity WHERE xact_start IS NOT NULL AND backend_type = 'client backend'"
        " AND pid <> pg_backend_pid()"
    )
    prepared = ops.postgres.rows(
        "SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::float AS age FROM pg_prepared_xacts ORDER BY 2"
    )
    slots = ops.postgres.rows(
        "SELECT slot_name::text AS name,"
        " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS held"
        " FROM pg_replication_slots WHERE NOT active ORDER BY 2 DESC"
    )
    return Horizon(
        row["oldest"],
        tuple((each["gid"], each["age"]) for each in prepared),
        tuple(Slot(each["name"], each["held"]) for each in slots),
    )


@fact(seconds=12, effect=Effect.WRITES)
def integrity(ops: Ops) -> Integrity:
    """Checksums, and every smaller B-tree read by amcheck, whose extension is made and rolled back."""
    (row,) = ops.postgres.rows(
        "SELECT current_setting('data_checksums') = 'on' AS on,"
        " (SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database) AS failures,"
        " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') AS amcheck"
    )
    if not row["amcheck"]:
        return Integrity(row["on"], row["failures"], why="the extension amcheck is not installed")
    try:
        (read,) = ops.postgres.rehearse("CREATE EXTENSION IF NOT EXISTS amcheck", _AMCHECK.format(AMCHECK_BYTES))
    except OpsError as error:
        if any(words in error.message for words in ("statement timeout", "permission denied", "did not answer")):
            return Integrity(row["on"], row["failures"], why=error.message.rstrip("."))
        return Integrity(row["on"], row["failures"], damage=error.message)
    return Integrity(row["on"], row["failures"], read["checked"], read["skipped"])


_AMCHECK = """
SELECT count(bt_index_check(oid)) FILTER (WHERE size <= {0}) AS checked, count(*) FILTER (WHERE size > {0}) AS skipped
FROM (SELECT c.oid, pg_relation_size(c.oid) AS size FROM pg_class c JOIN pg_am a ON a.oid = c.relam
      JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_') AS found
"""


def declared(stack: Stack) -> dict[str, str]:
    """Settings on the command line of the next start (``-c name=value``); empty without a Postgres."""
    service = stack.services.get(SERVICE)
    words = list(service.command) if service else []
    pairs = (after.partition("=") for word, after in pairwise(words) if word == "-c")
    return {name: value for name, _, value in pairs}
