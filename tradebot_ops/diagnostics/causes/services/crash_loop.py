"""A service starts and dies again and again."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import crash_loop, killed_for_memory

CAUSE = Cause(
    "crash-loop",
    "A service starts and dies again and again.",
    signs=(crash_loop,),
    against=(killed_for_memory,),
    explains=(
        "crashes",
        "worker",
        "api",
        "redis",
        "postgres",
        "queue",
    ),
    depth=1,
    mend="tradebot diag errors --new",
)
