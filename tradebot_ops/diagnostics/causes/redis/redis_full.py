"""Redis has no memory left."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import redis_full, stopped

CAUSE = Cause(
    "redis-full",
    "Redis has no memory left.",
    signs=(redis_full,),
    against=(stopped("redis"),),
    explains=("redis-memory", "worker", "queue", "requests"),
    depth=3,
    mend="tradebot optimize plan",
)
