"""Redis cannot write its snapshot."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import redis_value

CAUSE = Cause(
    "redis-snapshot-fails",
    "Redis cannot write its snapshot.",
    signs=(redis_value("rdb_last_bgsave_status", "err"),),
    explains=("redis-disk",),
    depth=3,
    mend="tradebot diag disk",
)
