"""The workers are alive and take no jobs."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import all_drained, heartbeats_fresh, stuck, workers_busy

CAUSE = Cause(
    "workers-idle",
    "The workers are alive and take no jobs.",
    signs=(
        stuck,
        heartbeats_fresh,
    ),
    against=(workers_busy, all_drained),
    explains=("queue",),
    depth=1,
    mend="tradebot restart worker",
)
