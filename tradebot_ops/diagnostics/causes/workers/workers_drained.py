"""Every worker has the order to take no jobs, and jobs wait."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import all_drained, stuck

CAUSE = Cause(
    "workers-drained",
    "Every worker was ordered to take no jobs.",
    signs=(
        stuck,
        all_drained,
    ),
    explains=("queue",),
    depth=1,
    mend="tradebot workers list",
)
