"""The host is short of memory."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import pressed

CAUSE = Cause(
    "host-short-of-memory",
    "The host is short of memory.",
    signs=(pressed("memory", 0.4),),
    explains=(
        "requests",
        "crashes",
    ),
    depth=4,
    background=True,
    mend="tradebot optimize plan",
)
