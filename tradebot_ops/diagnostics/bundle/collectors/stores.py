"""Redis' and Postgres' own statistics, and the ledger's jobs by state."""

from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts.fact import Fact, fact
from tradebot_ops.facts.stores import postgres, redis

_JOBS = """
SELECT state, type, coalesce(error_type, '') AS error_type, count(*) AS jobs, max(submitted_at) AS newest
FROM job GROUP BY 1, 2, 3 ORDER BY jobs DESC LIMIT 200
"""


@fact(seconds=8)
def jobs(ops: Ops) -> tuple[dict[str, Any], ...]:
    """How many jobs of each type are in each state, and with which error."""
    return tuple(ops.postgres.rows(_JOBS))


def collect(ops: Ops) -> Files:
    questions: dict[str, Fact[Any]] = {
        "stores/redis.json": redis.info,
        "stores/redis-slowlog.json": redis.slowlog,
        "stores/postgres.json": postgres.connections,
        "stores/postgres-insides.json": postgres.insides,
        "stores/jobs.json": jobs,
    }
    return asked(ops, questions)


COLLECTOR = Collector("stores", collect, seconds=20)
