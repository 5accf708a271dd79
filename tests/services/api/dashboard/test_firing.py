"""Alerts that fire, from Prometheus' rules: which, in what order, with which panel and runbook."""

from typing import Any

import pytest
import yaml

from services.api.dashboard.definition import read_definition
from services.api.dashboard.firing import ORDER, firing, metrics, panel_of
from services.common.settings import DASHBOARD_FILE
from tests.paths import ROOT

PANELS = read_definition(DASHBOARD_FILE).panels
RULES = [
    rule
    for file in sorted((ROOT / "config/prometheus/rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


def rule(name: str, severity: str, *states: str, **notes: str) -> dict[str, Any]:
    alerts = [
        {"state": state, "annotations": notes, "activeAt": f"2026-11-27T04:0{place}:00.5Z"}
        for place, state in enumerate(states)
    ]
    return {"type": "alerting", "name": name, "labels": {"severity": severity}, "query": "redis_up == 0",
            "alerts": alerts}  # fmt: skip


def test_the_gravest_comes_first_and_alerts_of_one_rule_are_one_row() -> None:
    groups = [
        {"rules": [rule("Slow", "warning", "firing", "firing", "pending", summary="slow"), rule("Quiet", "warning")]},
        {"rules": [rule("Down", "critical", "firing"), rule("Watchdog", "none", "firing"), {"type": "recording"}]},
        {"rules": [rule("Soon", "critical", "pending")]},
    ]
    found = firing(groups, PANELS)
    assert [(each.name, each.count, each.summary) for each in found] == [("Down", 1, ""), ("Slow", 2, "slow")]
    assert found[1].since.minute == 0


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://docs/RedisDown.md", True), ("http://wiki/x", True), ("javascript:alert(1)", False), ("", False)],
)
def test_a_runbook_is_an_address_of_the_web(url: str, kept: bool) -> None:
    (found,) = firing([{"rules": [rule("Down", "critical", "firing", runbook_url=url)]}], PANELS)
    assert found.runbook == (url if kept else "")


@pytest.mark.parametrize(
    ("alert", "title"),
    [
        ("WorkerQueueBacklog", "Queue Lengths"),
        ("HighCPUUsage", "System CPU Usage"),
        ("HighMemoryUsage", "System Memory Usage"),
        ("RedisMemoryHigh", "Redis Memory Usage"),
        ("DiskSpaceLow", None),
    ],
)
def test_an_alert_leads_to_the_panel_that_asks_for_the_same(alert: str, title: str | None) -> None:
    expressions = [each["expr"] for each in RULES if each["alert"] == alert]
    assert expressions
    titles = {panel.id: panel.title for panel in PANELS}
    assert {titles.get(panel_of(each, PANELS) or 0) for each in expressions} == {title}


def test_every_severity_of_the_rules_has_its_place() -> None:
    assert {each["labels"]["severity"] for each in RULES} <= {*ORDER, "none"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (
            'sum by (job_type) (rate(worker_jobs_processed_total{status="failed"}[5m])) > 0',
            {"worker_jobs_processed_total"},
        ),
        ("histogram_quantile(0.95, sum by(le)(rate(x_seconds_bucket[2m])))", {"x_seconds"}),
        ("api:request_duration_seconds:p95_2m > 1 and on() vector(1)", {"api:request_duration_seconds:p95_2m"}),
        ('label_replace(up_y, "a_b", "$1", "c_d", "(.*)") unless on (e_f) absent(g_h)', {"up_y", "g_h"}),
    ],
)
def test_the_metrics_of_an_expression(expression: str, names: set[str]) -> None:
    assert metrics(expression) == names
