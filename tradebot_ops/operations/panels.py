"""The dashboard's panels asked of Prometheus by the command itself, for when the API, which does it else, is away.

An outage of the API must not take the picture away with it. The document is the API's own, the definition the same
JSON; tests/operations/test_panels.py holds both against one another on the stack's dashboard.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.sources.prometheus import Series
from tradebot_ops.stack.contract import panels

RANGES = {"15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800}
POINTS, SCRAPE_S, STALE_S, MAX_SERIES, REFRESH_S, AT_ONCE = 240, 15, 60, 20, 15, 8
_KINDS = {"stat": "stat", "gauge": "stat", "timeseries": "timeseries", "graph": "timeseries"}
_LEVELS = {"red": "critical", "orange": "warning", "yellow": "warning", "green": "ok"}
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::\w+)?\}|([A-Za-z_]\w*))")

Panel = Mapping[str, Any]
Ask = Callable[[str, "Window"], Sequence[Series]]
Answer = Sequence[Series] | str


@dataclass(frozen=True)
class Window:
    """``points`` moments, ``step`` seconds apart, the last at ``end`` (Unix seconds)."""

    end: int
    step: int
    points: int

    @property
    def start(self) -> int:
        return self.end - (self.points - 1) * self.step

    def times(self) -> list[int]:
        return [self.start + number * self.step for number in range(self.points)]


def window(range_name: str, now: float) -> Window:
    seconds = RANGES[range_name]
    step = max(SCRAPE_S, math.ceil(seconds / POINTS))
    return Window(int(now), step, seconds // step + 1)


def picture(definition: Mapping[str, Any], ask: Ask, shown: Window, range_name: str, note: str) -> dict[str, Any]:
    """The document of the API's ``GET /dashboard/panels``. What ``ask`` raises but TB-01xx is raised here, too."""
    wanted = [panel for panel in panels(definition) if _targets(panel)]
    wanted.sort(key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = list(pool.map(partial(_panel, ask=ask, shown=shown), wanted))
    return {
        "title": definition.get("title", ""),
        "status": "partial" if any(panel["status"] == "error" for panel in found) else "ok",
        "note": note,
        "range": range_name,
        "refresh_s": REFRESH_S,
        "step_s": shown.step,
        "generated_at": shown.end,
        "times": shown.times(),
        "panels": found,
    }


def _targets(panel: Panel) -> list[Mapping[str, Any]]:
    return [target for target in panel.get("targets", ()) if not target.get("hide")]


def _panel(panel: Panel, ask: Ask, shown: Window) -> dict[str, Any]:
    targets = _targets(panel)
    kind = _KINDS.get(panel["type"], "unknown")
    alien = f"a panel of type '{panel['type']}' cannot be drawn here, only in Grafana"
    answers: list[Answer] = (
        [alien] if kind == "unknown" else [_answer(target["expr"], ask, shown) for target in targets]
    )
    found = [
        (_name(target, series, panel.get("title", "")), series)
        for target, answer in zip(targets, answers, strict=False)
        if not isinstance(answer, str)
        for series in answer
    ]
    drawn: list[dict[str, Any]] = [{"name": name, "values": _aligned(series, shown)} for name, series in found]
    newest = max((series.points[-1][0] for _, series in found if series.points), default=None)
    age = None if newest is None else max(0, round(shown.end - newest))
    value = _last(drawn[0]["values"]) if kind == "stat" and drawn else None
    status, note = _judge(targets, answers, drawn, age, shown)
    looks = _looks(panel, kind)
    return looks | {
        "status": status,
        "note": note,
        "value": value,
        "level": "none" if value is None else _level(looks["thresholds"], value),
        "age_s": age,
        "series": _largest(drawn),
        "hidden_series": max(0, len(drawn) - MAX_SERIES),
    }


def _answer(expression: str, ask: Ask, shown: Window) -> Answer:
    length = (shown.points - 1) * shown.step
    known = {
        "__interval": f"{shown.step}s",
        "__rate_interval": f"{max(shown.step + SCRAPE_S, 4 * SCRAPE_S)}s",
        "__range": f"{length}s",
        "__range_s": str(length),
    }
    try:
        return ask(_VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), expression), shown)
    except OpsError as error:
        if not error.code.startswith("TB-01"):
            raise
        return error.message


def _judge(
    targets: Sequence[Panel], answers: Sequence[Answer], drawn: Sequence[Panel], age: int | None, shown: Window
) -> tuple[str, str]:
    failures = {answer for answer in answers if isinstance(answer, str)}
    if failures:
        return "error", "; ".join(sorted(failures))
    if age is None:
        return "empty", "No series: nothing reports what this panel asks for."
    if age >= max(STALE_S, shown.step):
        return "stale", f"The last sample is {age} s old."
    if all(_last(one["values"]) is None for one in drawn):
        return "empty", "Nothing to measure in this range."
    return "ok", ""


def _aligned(series: Series, shown: Window) -> list[float | None]:
    values: list[float | None] = [None] * shown.points
    for at, value in series.points:
        place = round((at - shown.start) / shown.step)
        if 0 <= place < shown.points and math.isfinite(value):
            values[place] = value
    return values


def _name(target: Mapping[str, Any], series: Series, title: str) -> str:
    legend = target.get("legendFormat", "")
    if legend and legend != "__auto":
        return _LABEL.sub(lambda match: series.labels.get(match[1], ""), legend).strip()
    shown = ", ".join(f'{name}="{value}"' for name, value in series.labels.items() if name != "__name__")
    return f"{series.labels.get('__name__', '')}{{{shown}}}" if shown else series.labels.get("__name__", title)


def _largest(drawn: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    def peak(one: Panel) -> float:
        return max((value for value in one["values"] if value is not None), default=-math.inf)

    kept = {id(one) for one in sorted(drawn, key=peak, reverse=True)[:MAX_SERIES]}
    return [one for one in drawn if id(one) in kept]


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _level(thresholds: Sequence[Panel], value: float) -> str:
    reached = [step["level"] for step in thresholds if step["value"] is None or value >= step["value"]]
    return str(reached[-1]) if reached else "none"


def _looks(panel: Panel, kind: str) -> dict[str, Any]:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    steps = defaults.get("thresholds", {}).get("steps", ())
    grid = panel["gridPos"]
    return {
        "id": panel["id"],
        "kind": kind,
        "title": panel.get("title", ""),
        "description": panel.get("description", ""),
        "unit": defaults.get("unit", "short"),
        "decimals": defaults.get("decimals"),
        "min": defaults.get("min"),
        "max": defaults.get("max"),
        "thresholds": [
            {"value": step["value"], "color": step["color"], "level": _LEVELS.get(step["color"], "none")}
            for step in steps
        ],
        "threshold_lines": defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off",
        "x": grid["x"],
        "y": grid["y"],
        "width": grid["w"],
        "height": grid["h"],
    }
