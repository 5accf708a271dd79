"""The disk is full."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import disk_full

CAUSE = Cause(
    "disk-full",
    "The disk is full.",
    signs=(disk_full,),
    explains=(
        "disk",
        "redis",
        "postgres",
        "prometheus",
        "api",
        "worker",
        "queue",
        "requests",
        "redis-disk",
    ),
    depth=4,
    mend="tradebot prune",
)
