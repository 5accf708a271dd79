"""No worker runs."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "workers-gone",
    "No worker runs.",
    signs=(stopped("worker"),),
    explains=(
        "worker",
        "queue",
    ),
    depth=1,
    mend="tradebot start worker",
)
