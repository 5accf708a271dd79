"""Jobs of one kind fail again and again."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import jobs_given_up, killed_for_memory, stopped

CAUSE = Cause(
    "job-poisoned",
    "Jobs of one kind fail again and again.",
    signs=(jobs_given_up,),
    against=(
        stopped("redis"),
        stopped("postgres"),
        killed_for_memory,
    ),
    explains=(
        "dead-letters",
        "queue",
    ),
    depth=1,
    mend="tradebot diag errors",
)
