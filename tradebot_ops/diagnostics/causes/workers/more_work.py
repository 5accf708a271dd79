"""More work comes in than the workers can do."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import fewer, long_queue, workers_busy

CAUSE = Cause(
    "more-work",
    "More work comes in than the workers can do.",
    signs=(
        long_queue,
        workers_busy,
    ),
    against=(fewer("worker"),),
    explains=("queue",),
    depth=1,
    mend="tradebot optimize plan",
)
