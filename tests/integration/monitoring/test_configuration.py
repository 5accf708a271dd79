"""Our configuration in a real Prometheus and a real Alertmanager."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.config.test_contract import exporters
from tests.config.test_dashboard import PANELS
from tests.integration.monitoring.rig import TOKEN, Rig
from tests.waiting import until
from tradebot_ops.monitoring.contract import Metric, missing

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("monitoring-configuration")]

OWN = [metric for metric in exporters() if metric.source in {"prometheus", "alertmanager"}]
JOBS = {"api": 1, "worker": 2, "redis": 1, "postgres": 1, "node": 1, "prometheus": 1, "alertmanager": 1}


def in_a_minute() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_all_targets_are_up_under_their_written_names(rig: Rig) -> None:
    until(lambda: {t.health for t in rig.prometheus.targets()} == {"up"}, "every target is up")
    targets = rig.prometheus.targets()
    assert {job: sum(t.job == job for t in targets) for job in JOBS} == JOBS
    assert {t.instance for t in targets if t.job in {"api", "worker"}} == {"api:8010", "worker-1", "worker-2"}


def test_every_rule_evaluates(rig: Rig) -> None:
    until(lambda: all(rule.health == "ok" for rule in rig.prometheus.rules()), "every rule was evaluated")
    rules = rig.prometheus.rules()
    assert {rule.last_error for rule in rules} == {""}
    assert sum(rule.kind == "alerting" for rule in rules) >= 20


def test_a_healthy_idle_stack_alerts_about_nothing(rig: Rig) -> None:
    """Not even pending, once rates have half a minute to stand on."""
    scrapes = "count_over_time(up{job='api'}[1m]) > 30"
    until(lambda: rig.prometheus.query(scrapes), "thirty scrapes", seconds=60)
    assert {alert.name for alert in rig.prometheus.alerts()} == {"Watchdog"}


def test_every_panel_returns_data(rig: Rig) -> None:
    until(lambda: rig.prometheus.query("rate(up{job='worker'}[10s])"), "some scrapes")
    for panel in PANELS:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            # Recorded ones follow a scrape by an evaluation.
            until(partial(rig.prometheus.query, query), f"data for {panel['title']}: {query}", 20)


@pytest.mark.parametrize("metric", OWN, ids=lambda metric: metric.name)
def test_monitoring_emits_what_its_alerts_rely_on(rig: Rig, metric: Metric) -> None:
    def lacking() -> list[str]:
        return missing([metric], rig.prometheus.emitted(metric.source, metric.series()))

    until(lambda: lacking() == [], f"{metric.name} was scraped")


def test_watchdog_arrives_at_the_store_with_its_token(rig: Rig) -> None:
    until(lambda: rig.api.alerts("Watchdog"), "Watchdog arrived")
    assert {authorization for authorization, _ in rig.api.posts} == {f"Bearer {TOKEN}"}


def test_synthetic_alert_arrives_and_resolves(rig: Rig) -> None:
    labels = {"alertname": "SyntheticAlert", "nonce": "n-1", "severity": "info"}
    rig.alertmanager.post(labels, {"summary": "a test"}, in_a_minute())
    until(lambda: rig.api.alerts("SyntheticAlert"), "it arrived")
    rig.alertmanager.post(labels, {"summary": "a test"}, datetime.now(UTC))
    until(lambda: rig.api.alerts("SyntheticAlert", "resolved"), "it resolved")


def test_cause_silences_its_symptom(rig: Rig) -> None:
    redis = {"alertname": "RedisDown", "severity": "critical", "outage": "redis", "instance": "r"}
    symptom = {"alertname": "HighErrorRate", "severity": "warning", "job": "api"}
    other = {"alertname": "HighCPUUsage", "severity": "warning", "instance": "n"}
    for labels in (redis, symptom, other):
        rig.alertmanager.post(labels, {}, in_a_minute())
    until(lambda: rig.api.alerts("RedisDown") and rig.api.alerts("HighCPUUsage"), "cause and stranger arrived")
    held = {alert.name: alert for alert in rig.alertmanager.alerts()}
    assert held["HighErrorRate"].state == "suppressed"
    assert held["HighErrorRate"].inhibited_by == (held["RedisDown"].fingerprint,)
    assert rig.api.alerts("HighErrorRate") == []
    for labels in (redis, symptom, other):
        rig.alertmanager.post(labels, {}, datetime.now(UTC))


def test_service_that_stops_is_told_to_the_store_and_so_is_its_return(own_rig: Rig) -> None:
    """End to end, with the real thirty seconds of `for:`."""
    redis = own_rig.stand_ins["redis-exporter:9121"]
    until(lambda: own_rig.prometheus.query("redis_up == 1"), "Redis was seen up")
    redis.text = redis.text.replace("redis_up 1", "redis_up 0")
    until(lambda: own_rig.api.alerts("RedisDown"), "RedisDown arrived", seconds=60)
    (alert, *_) = own_rig.api.alerts("RedisDown")
    assert alert["annotations"]["summary"] == "Redis is down or hangs"
    redis.text = redis.text.replace("redis_up 0", "redis_up 1")
    until(lambda: own_rig.api.alerts("RedisDown", "resolved"), "RedisDown resolved", seconds=60)
    told = {alert["labels"]["alertname"] for _, post in own_rig.api.posts for alert in post["alerts"]}
    assert told == {"RedisDown", "Watchdog"}
