"""Postgres waits for a slow disk."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import api_slow, blocked, pressed

CAUSE = Cause(
    "postgres-disk-slow",
    "Postgres waits for a slow disk.",
    signs=(
        pressed("io", 0.4),
        api_slow,
    ),
    against=(blocked,),
    explains=(
        "requests",
        "queue",
    ),
    depth=4,
    background=True,
    mend="tradebot diag performance",
)
