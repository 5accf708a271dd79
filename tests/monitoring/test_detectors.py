"""Critical rules that stay silent when what they measure is gone are found, and ours are none."""

from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.monitoring.contract import Metric, declared_metrics
from tradebot_ops.monitoring.detectors import blind

METRICS = [Metric("redis_up", "gauge", source="redis"), Metric("jobs_waiting", "gauge", source="api"),
           Metric("busy", "gauge", source="worker")]  # fmt: skip
DOWN = 'up{job="redis"} == 0'
GONE = 'absent(up{job="redis"})'


def rules(*alerts: tuple[str, str, str], **recorded: str) -> list[dict[str, Any]]:
    """(name, severity, expression) of alerts, and recordings by name."""
    made: list[dict[str, Any]] = [{"record": name.replace("__", ":"), "expr": expr} for name, expr in recorded.items()]
    made += [{"alert": name, "expr": expr, "labels": {"severity": severity}} for name, severity, expr in alerts]
    return [{"groups": [{"name": "g", "rules": made}]}]


@pytest.mark.parametrize(
    ("expression", "twins", "missed"),
    [
        ("redis_up == 0", (), [("redis_up", "redis")]),
        ("redis_up == 0", (DOWN,), [("redis_up", "redis")]),
        ("redis_up == 0", (GONE,), [("redis_up", "redis")]),
        ("redis_up == 0", (DOWN, GONE), []),
        ("redis_up == 0", ('up{job=~"api|redis"} == 0', GONE), []),
        ("redis_up == 0", ('up{job!="redis"} == 0', GONE), [("redis_up", "redis")]),
        ("redis_up == 0", ("absent(redis_up)",), []),
        ("redis_up == 0", ("absent(jobs_waiting)",), [("redis_up", "redis")]),
        # What was there within the hour and is not any more; without the memory it is no detector.
        ("redis_up == 0", (DOWN, "max by (job) (last_over_time(up[1h])) unless on (job) up"), []),
        ("redis_up == 0", (DOWN, "up unless on (job) up"), [("redis_up", "redis")]),
        # Counted with 0 for none.
        ("(sum(busy) or vector(0)) < 1", (), []),
        ("sum(busy) < 1", (), [("busy", "worker")]),
        ("rate(busy[1m]) > 3", ('(count(up{job="worker"} == 1) or vector(0)) < 2',), []),
        # A gate: its loss lets the alert through.
        ("(sum(busy) or vector(0)) < 1 unless on () (max(jobs_waiting) == 0)", (), []),
        ("(sum(busy) or vector(0)) < 1 and on () (max(jobs_waiting) > 0)", (), [("jobs_waiting", "api")]),
    ],
)
def test_twins(expression: str, twins: tuple[str, ...], missed: list[tuple[str, str]]) -> None:
    alerts = [("Fault", "critical", expression), *((f"Twin{place}", "warning", e) for place, e in enumerate(twins))]
    assert [(each.metric, each.job) for each in blind(rules(*alerts), METRICS)] == missed


def test_only_critical_rules_are_judged_and_recordings_are_followed() -> None:
    found = blind(
        rules(("Quiet", "warning", "redis_up == 0"), ("Slow", "critical", "a:b > 1"), a__b="avg(rate(busy[5m]))"),
        METRICS,
    )
    assert [str(each) for each in found] == ["Slow: nothing fires when busy of worker is gone"]


def test_our_own_rules_are_blind_to_nothing() -> None:
    folder = ROOT / "config/prometheus"
    documents = [yaml.safe_load(file.read_text()) for file in sorted((folder / "rules").glob("*.yml"))]
    files = [folder / "service-metrics.yml", folder / "exporter-metrics.yml"]
    metrics = [metric for file in files for metric in declared_metrics(yaml.safe_load(file.read_text()))]
    assert blind(documents, metrics) == []
    # Were the rule on missing targets not there, the critical ones would be.
    without = [
        {"groups": [{"rules": [rule for rule in group["rules"] if rule.get("alert") != "ServiceMissing"]}
                    for group in document["groups"]]}
        for document in documents
    ]  # fmt: skip
    assert {each.alert for each in blind(without, metrics)} >= {"PostgresDown", "RedisDown", "ServiceDown"}
