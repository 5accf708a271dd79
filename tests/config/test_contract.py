"""Rules, panels and runbooks against the metrics that are declared."""

import json
import re
from dataclasses import replace

import yaml

from services.common.metrics import METRICS
from services.common.metrics import Metric as ServiceMetric
from tests.paths import ROOT
from tradebot_ops.facts.metrics import usage
from tradebot_ops.monitoring.contract import Metric, Use, check, dashboard_uses, declared_metrics, rule_uses

CONFIG = ROOT / "config"


def uses() -> list[Use]:
    rules = sorted((CONFIG / "prometheus/rules").glob("*.yml"))
    found = [use for file in rules for use in rule_uses(yaml.safe_load(file.read_text()))] + usage.uses()
    dashboards = sorted((CONFIG / "grafana/dashboards").glob("*.json"))
    return found + [use for file in dashboards for use in dashboard_uses(json.loads(file.read_text()))]


def runbook_uses() -> list[Use]:
    pages = sorted((ROOT / "docs/runbooks").glob("*.md"))
    query = re.compile(r"^tradebot query '(.+?)'", re.M)
    return [Use(f"runbook {page.stem}", asked) for page in pages for asked in query.findall(page.read_text())]


def exporters() -> list[Metric]:
    return declared_metrics(yaml.safe_load((CONFIG / "prometheus/exporter-metrics.yml").read_text()))


def services() -> list[Metric]:
    return declared_metrics(yaml.safe_load((CONFIG / "prometheus/service-metrics.yml").read_text()))


def test_file_of_service_metrics_says_what_the_services_declare() -> None:
    declared = {
        owner: {metric.name: _facts(metric) for metric in METRICS if owner in metric.owners}
        for owner in ("api", "worker")
    }
    written = yaml.safe_load((CONFIG / "prometheus/service-metrics.yml").read_text())
    assert written == declared, "write this instead:\n" + yaml.safe_dump(declared, sort_keys=False)


def _facts(metric: ServiceMetric) -> dict[str, object]:
    labels = {"labels": list(metric.labels)} if metric.labels else {}
    return {"type": metric.kind} | labels | ({"late": True} if metric.late else {})


def test_nothing_asks_for_what_nothing_emits() -> None:
    broken = check(uses() + runbook_uses(), exporters() + services()).broken
    assert [str(found) for found in broken] == []


def test_every_declared_exporter_metric_is_used() -> None:
    assert check(uses(), exporters()).unused == ()


def test_a_renamed_label_of_ours_names_what_dies() -> None:
    renamed = [
        replace(metric, labels=frozenset({"name"})) if metric.name == "queue_length" else metric
        for metric in services()
    ]
    where = {found.where for found in check(uses(), exporters() + renamed).broken}
    assert {"alert WorkerQueueBacklog", "alert DeadLetterQueueGrowing", "panel 5 'Queue Lengths'"} <= where
