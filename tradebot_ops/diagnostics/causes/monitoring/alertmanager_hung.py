"""Alertmanager runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung

CAUSE = Cause(
    "alertmanager-hung",
    "Alertmanager runs and does not answer.",
    signs=(hung("alertmanager"),),
    explains=("alertmanager",),
    depth=2,
    mend="tradebot restart alertmanager",
)
