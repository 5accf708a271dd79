"""Alertmanager does not run: alerts fire and reach nobody."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "alertmanager-deaf",
    "Alertmanager does not run: alerts fire and reach nobody.",
    signs=(stopped("alertmanager"),),
    explains=("alertmanager",),
    depth=2,
    mend="tradebot monitoring start",
)
