"""Redis does not run."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "redis-down",
    "Redis does not run.",
    signs=(stopped("redis"),),
    explains=("redis", "redis-exporter", "api", "worker", "queue", "requests"),
    depth=3,
    mend="tradebot start redis",
)
