"""The queue grows because workers are missing."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import fewer, long_queue, stopped

CAUSE = Cause(
    "fewer-workers",
    "The queue grows because workers are missing.",
    signs=(
        long_queue,
        fewer("worker"),
    ),
    against=(stopped("worker"),),
    explains=(
        "queue",
        "worker",
    ),
    depth=1,
    mend="tradebot up worker",
)
