"""Redis cannot append to its file."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import redis_value

CAUSE = Cause(
    "redis-append-fails",
    "Redis cannot append to its file.",
    signs=(redis_value("aof_last_write_status", "err"),),
    explains=(
        "redis-disk",
        "redis",
        "queue",
    ),
    depth=3,
    mend="tradebot diag disk",
)
