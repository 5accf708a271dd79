"""Load of Postgres: the statements that take its time, and what its sessions wait for."""

import re
from collections import Counter
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.text.sentences import shortened

MOST = 5
#: Half a second in all: what is worth a look, such as a lock or a slow disk, lasts longer than that, and samples that
#: lie nearer than a wait lasts say the same twice. Their number is what makes a share exact: to a tenth of a session.
SAMPLES, BETWEEN_S = 10, 0.05
#: Characters of a statement that are kept.
LONGEST = 300

# The view alone records nothing: the setting is known where the server has loaded the library.
_IS_RECORDED = """
SELECT to_regclass('pg_stat_statements') IS NOT NULL AND current_setting('pg_stat_statements.max', true) IS NOT NULL
       AS recorded
"""
# The text of a recorded statement has no values; that of a running one is as it was sent.
_RECORDED = """
SELECT query, calls, total_exec_time / 1000 AS seconds
FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid AND datname = current_database()
ORDER BY total_exec_time DESC LIMIT %s
"""
_RUNNING = """
SELECT query, 1 AS calls, extract(epoch FROM clock_timestamp() - query_start)::float8 AS seconds
FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY query_start LIMIT %s
"""
_WAITS = """
SELECT coalesce(wait_event_type || ': ' || wait_event, 'processor') AS what, count(*) AS sessions
FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1
"""
# Of all backends: relations that were read from beyond the cache of Postgres, and written by who should be at work.
_IO = """
SELECT coalesce(sum(reads), 0)::bigint AS reads, coalesce(sum(writes), 0)::bigint AS writes,
       coalesce(sum(extends), 0)::bigint AS extends,
       coalesce(sum(writes) FILTER (WHERE backend_type = 'client backend' AND context = 'normal'), 0)::bigint AS own,
       coalesce(sum(read_time + write_time), 0) / 1000 AS seconds, current_setting('track_io_timing') = 'on' AS timed
FROM pg_stat_io WHERE object = 'relation'
"""
_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)|(?<![\w$])\d+(?:\.\d+)?", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """``seconds`` all its ``calls`` took together."""

    text: str
    calls: int
    seconds: float


@dataclass(frozen=True)
class Statements:
    """Those that took most time, without the values in them. ``recorded``: since the statistics began; else those that
    run now."""

    recorded: bool
    found: tuple[Statement, ...]


@dataclass(frozen=True)
class Waits:
    """How many sessions on average worked (``processor``) or waited, by what for, the most frequent first."""

    sessions: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Io:
    """Reads, writes and extensions of relations since the statistics began; ``own``: writes that sessions had to do
    themselves. ``seconds`` they took together, None where Postgres does not measure that.
    """

    reads: int
    writes: int
    extends: int
    own: int
    seconds: float | None


@fact()
def io(ops: Ops) -> Io:
    if not ops.postgres.rows("SELECT to_regclass('pg_stat_io') IS NOT NULL AS there")[0]["there"]:
        raise NotApplicable(Skip.ENGINE, "This Postgres has no pg_stat_io: it is there from version 16 on.")
    (row,) = ops.postgres.rows(_IO)
    return Io(row["reads"], row["writes"], row["extends"], row["own"], float(row["seconds"]) if row["timed"] else None)


@fact()
def statements(ops: Ops) -> Statements:
    (there,) = ops.postgres.rows(_IS_RECORDED)
    rows = ops.postgres.rows(_RECORDED if there["recorded"] else _RUNNING, [MOST])
    return Statements(
        there["recorded"],
        tuple(Statement(without_values(row["query"] or ""), row["calls"], row["seconds"]) for row in rows),
    )


@fact(seconds=8)
def waits(ops: Ops) -> Waits:
    """Ten samples, a twentieth of a second apart."""
    seen: Counter[str] = Counter()
    for row in ops.postgres.samples(_WAITS, SAMPLES, BETWEEN_S):
        seen[row["what"]] += row["sessions"]
    return Waits(tuple((what, count / SAMPLES) for what, count in seen.most_common(MOST)))


def without_values(query: str) -> str:
    """A statement on one line, an ellipsis for each value: what was sent may hold a password."""
    return shortened(_LITERAL.sub("…", query), LONGEST)
