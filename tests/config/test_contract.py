"""Rules, panels and runbooks against the metrics that are declared."""

import json
import re
from pathlib import Path

import yaml

from tradebot_ops.stack.contract import Metric, Use, check, dashboard_uses, declared_metrics, rule_uses

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def uses() -> list[Use]:
    rules = sorted((CONFIG / "prometheus/rules").glob("*.yml"))
    found = [use for file in rules for use in rule_uses(yaml.safe_load(file.read_text()))]
    dashboards = sorted((CONFIG / "grafana/dashboards").glob("*.json"))
    return found + [use for file in dashboards for use in dashboard_uses(json.loads(file.read_text()))]


def runbook_uses() -> list[Use]:
    pages = sorted((ROOT / "docs/runbooks").glob("*.md"))
    query = re.compile(r"^tradebot query '(.+?)'", re.M)
    return [Use(f"runbook {page.stem}", asked) for page in pages for asked in query.findall(page.read_text())]


def exporters() -> list[Metric]:
    return declared_metrics(yaml.safe_load((CONFIG / "prometheus/exporter-metrics.yml").read_text()))


def test_every_declared_exporter_metric_is_used() -> None:
    assert check(uses(), exporters()).unused == ()
