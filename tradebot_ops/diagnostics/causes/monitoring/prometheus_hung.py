"""Prometheus runs and does not answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import hung

CAUSE = Cause(
    "prometheus-hung",
    "Prometheus runs and does not answer.",
    signs=(hung("prometheus"),),
    explains=("prometheus", "monitoring"),
    depth=2,
    mend="tradebot restart prometheus",
)
