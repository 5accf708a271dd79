"""Prometheus does not run: nothing is measured and no alert fires."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import stopped

CAUSE = Cause(
    "prometheus-blind",
    "Prometheus does not run: nothing is measured and no alert fires.",
    signs=(stopped("prometheus"),),
    explains=("prometheus", "monitoring"),
    depth=2,
    mend="tradebot monitoring start",
)
