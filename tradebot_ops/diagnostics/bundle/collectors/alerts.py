"""Alerts that fire now, and those that arrived in the store."""

from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts.alerting import alert_store, alertmanager
from tradebot_ops.facts.fact import Fact
from tradebot_ops.facts.metrics import prometheus


def collect(ops: Ops) -> Files:
    questions: dict[str, Fact[Any]] = {
        "alerts/firing.json": prometheus.alerts,
        "alerts/silences.json": alertmanager.silences,
        "alerts/history.json": alert_store.history,
        "alerts/targets.json": prometheus.targets,
    }
    return asked(ops, questions)


COLLECTOR = Collector("alerts", collect, seconds=20)
