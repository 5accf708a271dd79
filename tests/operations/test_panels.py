"""The command's own way to the panels and the API's, on the same answers, give the same document."""

import asyncio
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.api.dashboard import window as api_window
from services.api.dashboard.definition import parse_definition
from services.api.dashboard.panels import dashboard
from services.api.dashboard.prometheus import Found, QueryFailed
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import panels
from tradebot_ops.sources.prometheus import Series

FILE = Path(__file__).parents[2] / "config/grafana/dashboards/trading-bot-dashboard.json"
NOW = 1_800_000_000.4
LABELS = {"__name__": "x", "job": "api", "instance": "a:1", "queue": "jobs", "job_type": "canary", "status": "ok",
          "endpoint": "/jobs"}  # fmt: skip


def answer(kind: str, expression: str, start: int, end: int, step: int) -> list[tuple[dict[str, str], Any]]:
    """Made of the expression alone, so that a difference in it shows."""
    seed = sum(map(ord, expression)) % 97
    times = [float(at) for at in range(start, end + 1, step)]
    if kind == "nothing":
        return []
    if kind == "old":
        times = times[:-20]
    count = 30 if kind == "many" else 2
    odd = {"nan": math.nan, "zero": 0.0}.get(kind)
    return [
        (LABELS | {"instance": f"a:{number}"}, [(at, seed + number + at % 7 if odd is None else odd) for at in times])
        for number in range(count)
    ]


def from_the_api(kind: str, range_name: str) -> dict[str, Any]:
    async def ask(expression: str, shown: api_window.Window) -> list[Found]:
        if kind == "refused":
            raise QueryFailed("too many samples")
        return [Found(*each) for each in answer(kind, expression, shown.start, shown.end, shown.step)]

    definition = parse_definition(json.loads(FILE.read_text()))
    shown = api_window.window(api_window.RANGES[range_name], NOW)
    return asyncio.run(dashboard(definition, ask, shown, range_name)).model_dump(mode="json")


def from_prometheus(kind: str, range_name: str) -> dict[str, Any]:
    def ask(expression: str, shown: panels.Window) -> Sequence[Series]:
        if kind == "refused":
            raise OpsError("too many samples", code="TB-0120")
        found = answer(kind, expression, shown.start, shown.end, shown.step)
        return [Series(labels, tuple(points)) for labels, points in found]

    shown = panels.window(range_name, NOW)
    return panels.picture(json.loads(FILE.read_text()), ask, shown, range_name, "")


def test_the_ranges_are_those_of_the_api() -> None:
    assert panels.RANGES == api_window.RANGES


@pytest.mark.parametrize("range_name", ["15m", "7d"])
@pytest.mark.parametrize("kind", ["some", "many", "nan", "zero", "nothing", "refused"])
def test_both_give_the_same(kind: str, range_name: str) -> None:
    expected, found = from_the_api(kind, range_name), from_prometheus(kind, range_name)
    assert found["panels"] == expected["panels"]
    keys = ("title", "status", "range", "step_s", "generated_at", "times")
    assert [found[key] for key in keys] == [expected[key] for key in keys]


def test_old_samples_are_stale_for_both() -> None:
    expected, found = from_the_api("old", "1h"), from_prometheus("old", "1h")
    assert {panel["status"] for panel in expected["panels"]} == {"stale"}
    assert [panel | {"note": ""} for panel in found["panels"]] == [panel | {"note": ""} for panel in expected["panels"]]


def test_a_prometheus_that_is_away_is_no_panel_in_error() -> None:
    def ask(expression: str, shown: panels.Window) -> Sequence[Series]:
        raise OpsError("Prometheus cannot be reached", code="TB-0510")

    with pytest.raises(OpsError, match="cannot be reached"):
        panels.picture(json.loads(FILE.read_text()), ask, panels.window("1h", NOW), "1h", "")
