"""The API does not run."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "api-down",
    "The API does not run.",
    signs=(stopped("api"),),
    explains=(
        "api",
        "requests",
    ),
    depth=0,
    mend="tradebot start api",
)
