"""The dashboard: the twelve panels, a grid without gaps, queries that parse and ask for what exists."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.monitoring.promql import parse

GRAFANA = ROOT / "config/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/trading-bot-dashboard.json").read_text())
#: The twelve of the brief, and below them the folded row of what not every stack has.
PANELS: list[dict[str, Any]] = DASHBOARD["panels"][:-1]
ROW: dict[str, Any] = DASHBOARD["panels"][-1]
BOT: list[dict[str, Any]] = ROW["panels"]

TITLES = {
    "stat": ["Active Workers", "Pending Jobs", "Dead Letter Queue", "Jobs/Hour"],
    "timeseries": [
        "Queue Lengths",
        "Job Processing Rate",
        "Job Duration Percentiles",
        "API Latency p95",
        "System CPU Usage",
        "System Memory Usage",
        "Redis Connections",
        "Redis Memory Usage",
    ],
}


@pytest.mark.parametrize("kind", TITLES)
def test_panels_of_the_brief(kind: str) -> None:
    assert [panel["title"] for panel in PANELS if panel["type"] == kind] == TITLES[kind]


def test_the_bot_s_panels_are_folded_below() -> None:
    assert (ROW["type"], ROW["title"], ROW["collapsed"]) == ("row", "Watched bot", True)
    asked = [target["expr"] for panel in BOT for target in panel["targets"]]
    assert all(re.search(r"bot_\w+", expr) for expr in asked)


def test_panel_ids_are_unique() -> None:
    assert sorted(panel["id"] for panel in (*PANELS, ROW, *BOT)) == list(range(1, 20))


@pytest.mark.parametrize("panels", [[*PANELS, ROW], [*PANELS, ROW, *BOT]], ids=["folded", "unfolded"])
def test_grid_is_full_and_nothing_overlaps(panels: list[dict[str, Any]]) -> None:
    cells = [cell for panel in panels for cell in _cells(panel["gridPos"])]
    assert len(cells) == len(set(cells)), "two panels overlap"
    height = max(y for _, y in cells) + 1
    assert set(cells) == set(itertools.product(range(24), range(height))), "the grid has holes"


def _cells(position: dict[str, int]) -> Iterator[tuple[int, int]]:
    x, y, width, height = (position[key] for key in ("x", "y", "w", "h"))
    return itertools.product(range(x, x + width), range(y, y + height))


@pytest.mark.parametrize("panel", [*PANELS, *BOT], ids=lambda panel: panel["title"])
def test_panel_is_complete(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        parse(target["expr"])


def test_panels_use_the_provisioned_datasource() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    asked = [panel["datasource"] for panel in (*PANELS, *BOT)] + [
        target["datasource"] for panel in (*PANELS, *BOT) for target in panel["targets"]
    ]
    assert {(source["type"], source["uid"]) for source in asked} == known


def test_dashboard_has_a_fixed_uid() -> None:
    assert DASHBOARD["uid"] == "trading-bot"
    assert "id" not in DASHBOARD


def test_the_latency_panel_draws_what_the_alert_judges() -> None:
    """Probes every few seconds would press the panel's line down while the alert fires."""
    latency = next(panel for panel in PANELS if panel["title"] == "API Latency p95")
    asked = {target["expr"] for target in latency["targets"]}
    assert asked == {"api:request_duration_seconds:p95_2m", "api_endpoint:request_duration_seconds:p95_2m"}
    rules = yaml.safe_load((ROOT / "config/prometheus/rules/api.yml").read_text())["groups"][0]["rules"]
    alert = next(rule["expr"] for rule in rules if rule.get("alert") == "HighAPILatency")
    assert alert.startswith("api:request_duration_seconds:p95_2m > 1")
    assert (
        next(iter(asked - {"api:request_duration_seconds:p95_2m"}))
        in (ROOT / "docs/runbooks/HighAPILatency.md").read_text()
    )
    recorded = [rule["expr"] for rule in rules if rule.get("record") in asked]
    assert [re.findall(r"endpoint!~\S+\[2m\]", expr) for expr in recorded] == [
        re.findall(r"endpoint!~\S+\[2m\]", alert)
    ] * 2
