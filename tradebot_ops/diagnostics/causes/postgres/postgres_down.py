"""Postgres does not run."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "postgres-down",
    "Postgres does not run.",
    signs=(stopped("postgres"),),
    explains=("postgres", "postgres-exporter", "api", "worker", "queue", "requests"),
    depth=3,
    mend="tradebot start postgres",
)
