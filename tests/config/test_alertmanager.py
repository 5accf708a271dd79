"""The routes, as Alertmanager itself understands them."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.config.test_rules import ALERTS
from tests.programs import program
from tradebot_ops.monitoring.alertmanager import channels, with_channels

FILE = Path(__file__).parents[2] / "config/alertmanager/alertmanager.yml"
EVERYTHING = {
    "ALERT_SLACK_CHANNEL": "#alerts",
    "ALERT_EMAIL_TO": "ops@example.org",
    "ALERT_EMAIL_FROM": "tradebot@example.org",
    "ALERT_EMAIL_SMARTHOST": "mail.example.org:587",
    "ALERT_EMAIL_USERNAME": "tradebot",
    "ALERT_PAGERDUTY": "on",
    "ALERT_OPSGENIE": "on",
    "ALERT_WEBHOOK": "on",
}


def amtool(*arguments: str) -> str:
    result = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["alertname=RedisDown", "severity=critical"], "store,critical"),
        (["alertname=HighErrorRate", "severity=warning"], "store,warning"),
        (["alertname=HighAPILatency", "severity=performance"], "store,warning"),
        (["alertname=HighAPIRequestRate", "severity=info"], "store,info"),
        (["alertname=Watchdog", "severity=none"], "store"),
        (["alertname=SyntheticAlert", "nonce=1", "severity=info"], "store"),
        (["alertname=SyntheticAlert", "nonce=1", "severity=info", "receiver=critical"], "store,critical"),
        (["alertname=SyntheticAlert", "nonce=1", "severity=info", "receiver=warning"], "store,warning"),
        (["alertname=SyntheticAlert", "nonce=1", "severity=info", "receiver=info"], "store,info"),
        (["alertname=SyntheticAlert", "nonce=1", "severity=info", "receiver=jobs"], "store,jobs"),
        (["alertname=JobEnded", "severity=warning", "job_type=sweep"], "jobs"),
        (["alertname=RecentOutage", "severity=none"], "nobody"),
        (["alertname=Unheard", "severity=of"], "store"),
    ],
)
def test_route(labels: list[str], receivers: str) -> None:
    assert amtool("config", "routes", "test", f"--config.file={FILE}", *labels).strip() == receivers


@pytest.mark.parametrize("settings", [{}, EVERYTHING, *[{"ALERT_SLACK_CHANNEL": "#alerts"}]])
def test_alertmanager_accepts_the_file(settings: dict[str, str], tmp_path: Path) -> None:
    rendered = tmp_path / "alertmanager.yml"
    rendered.write_text(with_channels(FILE.read_text(), channels(settings)))
    amtool("check-config", str(rendered))


def test_inhibition_names_only_alerts_that_exist() -> None:
    names = {rule["alert"] for rule in ALERTS}
    for rule in yaml.safe_load(FILE.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, value = matcher.partition("=")
            if label == "alertname":
                assert set(value.strip('~"').split("|")) <= names, matcher


def test_inhibiting_outages_are_ones_that_some_alert_announces() -> None:
    announced = {rule["labels"]["outage"] for rule in ALERTS if "outage" in rule["labels"]}
    assert "{{ $labels.job }}" in announced
    assert "{{ $labels.job }}-database" in announced
    known = announced | {"api", "prometheus", "alertmanager", "api-database", "worker-database"}
    for rule in yaml.safe_load(FILE.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"]:
            if matcher.startswith("outage="):
                names = matcher.removeprefix("outage=").removeprefix("~").strip('"').split("|")
                assert set(names) <= known


def test_no_alert_announces_and_suffers_the_same_outage() -> None:
    """RecentOutage would silence the very alert it remembers."""
    outages = {rule["alert"]: rule["labels"]["outage"] for rule in ALERTS if "outage" in rule["labels"]}
    for rule in yaml.safe_load(FILE.read_text())["inhibit_rules"]:
        source = next((m for m in rule["source_matchers"] if m.startswith("outage=")), "")
        targets = rule["target_matchers"][0].partition("=")[2].strip('~"').split("|")
        for target in targets:
            assert outages.get(target) is None or f'"{outages[target]}"' not in source, target


def test_what_postgres_refuses_is_not_told_twice_and_its_own_alert_is_told() -> None:
    """The API alone is refused: its store fails because of that, and a lack of metrics has another cause."""
    quiet = {
        name
        for rule in yaml.safe_load(FILE.read_text())["inhibit_rules"]
        for matcher in rule["source_matchers"]
        if matcher.startswith("outage=") and "api-database" in matcher and "severity" not in str(rule)
        for name in rule["target_matchers"][0].partition("=")[2].strip('~"').split("|")
    }
    assert quiet >= {"HighErrorRate", "AlertmanagerNotificationsFailing", "APIErrorBudgetBurn"}
    assert quiet.isdisjoint({"DatabaseConnectionFailures", "QueueMetricsMissing", "PostgresDown"})
