"""The clock is off."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import clock_off

CAUSE = Cause(
    "clock-off",
    "The clock is off.",
    signs=(clock_off,),
    explains=("clock",),
    depth=4,
    mend="tradebot diag clock",
)
