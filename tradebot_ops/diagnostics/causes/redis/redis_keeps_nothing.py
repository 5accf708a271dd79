"""Redis does not write what it holds to disk."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import redis_value

CAUSE = Cause(
    "redis-keeps-nothing",
    "Redis does not write what it holds to disk.",
    signs=(redis_value("aof_enabled", "0"),),
    explains=("redis-disk",),
    depth=3,
    mend="tradebot up redis",
)
