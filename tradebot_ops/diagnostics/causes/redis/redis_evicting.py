"""Redis drops keys when memory is short, jobs among them."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import redis_evicts, stopped

CAUSE = Cause(
    "redis-evicting",
    "Redis drops keys when memory is short, jobs among them.",
    signs=(redis_evicts,),
    against=(stopped("redis"),),
    explains=(
        "redis-memory",
        "queue",
    ),
    depth=3,
    mend="tradebot up redis",
)
