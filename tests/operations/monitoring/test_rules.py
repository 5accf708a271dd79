"""Rules as Prometheus evaluates them; one that it cannot is a failure."""

from types import SimpleNamespace
from typing import Any

from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.clients.prometheus import Rule
from tradebot_ops.operations.monitoring.rules import rules


def rule(name: str, kind: str, health: str = "ok", error: str = "", **labels: str) -> Rule:
    state = "inactive" if kind == "alerting" else ""
    return Rule(name, kind, "api", "/etc/rules/api.yml", "up == 0", health, error, state, labels, {}, 300.0)


def test_screens(snapshot: SnapshotAssertion) -> None:
    found = [
        rule("ApiDown", "alerting", severity="critical"),
        rule("api:up", "recording"),
        rule("Odd", "alerting", "err", "many-to-many matching"),
        rule("New", "alerting", "unknown", severity="info"),
    ]
    ops: Any = SimpleNamespace(prometheus=SimpleNamespace(rules=lambda: found))
    assert whole(rules(ops)) == snapshot
