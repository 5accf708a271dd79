"""The API runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung, stopped

CAUSE = Cause(
    "api-hung",
    "The API runs and does not answer.",
    signs=(hung("api"),),
    against=(
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
