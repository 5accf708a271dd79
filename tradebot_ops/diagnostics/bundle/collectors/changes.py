"""Changes: starts and ends of replicas, scalings, optimizations."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts.replicas import services
from tradebot_ops.records import Optimizations, ScaleHistory


def collect(ops: Ops) -> Files:
    return {
        "changes/scalings.json": ops.state.load(ScaleHistory).content(),
        "changes/optimizations.json": ops.state.load(Optimizations).content(),
        **asked(ops, {"changes/events.json": services.events}),
    }


COLLECTOR = Collector("changes", collect, seconds=20)
