"""What fires now, and what arrived in the store."""

from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts import alert_store, alertmanager, prometheus
from tradebot_ops.facts.fact import Fact


def collect(ops: Ops) -> Files:
    questions: dict[str, Fact[Any]] = {
        "alerts/firing.json": prometheus.alerts,
        "alerts/silences.json": alertmanager.silences,
        "alerts/history.json": alert_store.history,
        "alerts/targets.json": prometheus.targets,
    }
    return asked(ops, questions)


COLLECTOR = Collector("alerts", collect, seconds=20)
