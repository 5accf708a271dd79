"""Redis runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung

CAUSE = Cause(
    "redis-hung",
    "Redis runs and does not answer.",
    signs=(hung("redis"),),
    explains=("redis", "redis-exporter", "api", "worker", "queue", "requests"),
    depth=3,
    mend="tradebot restart redis",
)
