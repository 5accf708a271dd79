"""The API runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import blocked, connections_taken, hung, stopped

CAUSE = Cause(
    "api-hung",
    "The API runs and does not answer.",
    signs=(hung("api"),),
    rivals=(
        blocked,
        connections_taken,
        stopped("redis"),
        hung("redis"),
        stopped("postgres"),
        hung("postgres"),
    ),
    explains=(
        "api",
        "requests",
    ),
    depth=0,
    mend="tradebot restart api",
)
