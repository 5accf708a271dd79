"""Alertmanager does not run: alerts fire and nobody is told."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "alertmanager-deaf",
    "Alertmanager does not run: alerts fire and nobody is told.",
    signs=(stopped("alertmanager"),),
    explains=("alertmanager",),
    depth=2,
    mend="tradebot monitoring start",
)
