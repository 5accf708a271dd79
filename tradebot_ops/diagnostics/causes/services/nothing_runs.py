"""Nothing of the stack runs: the first thing to know, whatever each part would look like by itself."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import nothing_runs

CAUSE = Cause(
    "nothing-runs",
    "Nothing of the stack runs.",
    signs=(nothing_runs,),
    explains=(
        "redis",
        "redis-exporter",
        "postgres",
        "postgres-exporter",
        "api",
        "worker",
        "prometheus",
        "alertmanager",
        "node-exporter",
        "grafana",
        "monitoring",
        "queue",
        "requests",
    ),
    depth=5,
    total=True,
    mend="tradebot up",
)
