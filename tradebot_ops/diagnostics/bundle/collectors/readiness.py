"""The last result of `prod-check`, as it is stored: nothing is checked anew."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts.project import last_check


def collect(ops: Ops) -> Files:
    return asked(ops, {"prod-check.json": last_check.last_check})


COLLECTOR = Collector("readiness", collect)
