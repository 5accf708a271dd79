"""A worker runs and is not heard."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung, silent_worker, stopped

CAUSE = Cause(
    "worker-hung",
    "A worker runs and is not heard.",
    signs=(
        silent_worker,
        hung("worker"),
    ),
    against=(
        stopped("redis"),
        hung("redis"),
    ),
    explains=(
        "worker",
        "queue",
    ),
    depth=1,
    mend="tradebot restart worker",
)
