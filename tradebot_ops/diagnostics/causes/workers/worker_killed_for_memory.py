"""Workers or their jobs are killed for memory."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import killed_for_memory

CAUSE = Cause(
    "worker-killed-for-memory",
    "Workers or their jobs are killed for memory.",
    signs=(killed_for_memory,),
    explains=(
        "worker",
        "queue",
        "dead-letters",
        "crashes",
    ),
    depth=1,
    mend="tradebot optimize plan",
)
