"""Postgres runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung

CAUSE = Cause(
    "postgres-hung",
    "Postgres runs and does not answer.",
    signs=(hung("postgres"),),
    explains=("postgres", "postgres-exporter", "api", "worker", "queue", "requests"),
    depth=3,
    mend="tradebot restart postgres",
)
