"""Postgres has no connections left."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import connections_taken

CAUSE = Cause(
    "postgres-connections-taken",
    "Postgres has no connections left.",
    signs=(connections_taken,),
    explains=(
        "postgres-connections",
        "api",
        "worker",
        "requests",
    ),
    depth=3,
    mend="Raise POSTGRES_MAX_CONNECTIONS and run tradebot up",
)
