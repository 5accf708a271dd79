"""Grafana takes classic JSON with units that it knows."""

import json
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.monitoring.dashboards import UNITS, faults

OWN = ROOT / "config/grafana/dashboards/trading-bot-dashboard.json"


def dashboard(unit: str = "s", **more: Any) -> dict[str, Any]:
    panel = {"title": "P", "fieldConfig": {"defaults": {"unit": unit}, "overrides": []}}
    return {"schemaVersion": 39, "panels": [panel], **more}


def test_our_own_dashboard_is_sound() -> None:
    assert list(faults(json.loads(OWN.read_text()))) == []


@pytest.mark.parametrize("unit", ["bytes", "percentunit", "µs", "suffix:jobs", "currency:kn"])
def test_known_units_and_made_up_ones(unit: str) -> None:
    assert list(faults(dashboard(unit))) == []


def test_a_unit_of_another_tool_is_named_in_overrides_too() -> None:
    assert list(faults(dashboard("seconds"))) == ["panel 'P' has the unknown unit 'seconds'"]
    document = dashboard()
    document["panels"][0]["fieldConfig"]["overrides"] = [{"properties": [{"id": "unit", "value": "Seconds"}]}]
    assert list(faults(document)) == ["panel 'P' has the unknown unit 'Seconds'"]


def test_another_schema_is_no_classic_dashboard() -> None:
    assert list(faults({"spec": {"elements": {}}})) == ["it has no list of panels, as classic JSON has"]
    assert list(faults(dashboard(schemaVersion="v2"))) == ["it has no schemaVersion"]


def test_the_table_of_units_holds_single_words() -> None:
    assert {"short", "none", "ops", "reqps", "bytes", "s", "percent"} <= UNITS
    assert len(UNITS) > 250
