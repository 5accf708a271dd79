"""Grafana's dashboard JSON, read: the only definition of the panels. Pure, apart from reading the file."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["stat", "timeseries", "unknown"]
_KINDS: dict[str, Kind] = {"stat": "stat", "gauge": "stat", "timeseries": "timeseries", "graph": "timeseries"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHORTEST_REFRESH_S = 5
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class DefinitionError(Exception):
    """The dashboard cannot be read; says which file and why."""


@dataclass(frozen=True)
class Target:
    """One query of a panel. ``legend`` may hold ``{{label}}``."""

    ref: str
    expr: str
    legend: str


@dataclass(frozen=True)
class Threshold:
    """From ``value`` on (None: from the beginning) ``color`` applies; colours are Grafana's names."""

    value: float | None
    color: str


@dataclass(frozen=True)
class Panel:
    """One panel; ``grid`` is x, y, width and height on a grid of 24 columns.

    ``row`` is the title of the folded row that it is in, if any: such a row is about what not every stack has.
    """

    id: int
    type: str
    title: str
    description: str
    unit: str
    decimals: int | None
    minimum: float | None
    maximum: float | None
    thresholds: tuple[Threshold, ...]
    threshold_lines: bool
    grid: tuple[int, int, int, int]
    targets: tuple[Target, ...]
    row: str = ""

    @property
    def kind(self) -> Kind:
        return _KINDS.get(self.type, "unknown")


@dataclass(frozen=True)
class Annotation:
    """A query for events; ``title`` may hold ``{{label}}``, ``color`` is Grafana's name."""

    name: str
    expr: str
    title: str
    color: str


@dataclass(frozen=True)
class Definition:
    title: str
    refresh_s: int
    panels: tuple[Panel, ...]
    annotations: tuple[Annotation, ...] = ()


def filled(text: str, labels: Mapping[str, str]) -> str:
    """The text with ``{{label}}`` replaced."""
    return _LABEL.sub(lambda match: labels.get(match[1], ""), text).strip()


def read_definition(path: Path) -> Definition:
    """The dashboard in the file. Raises :class:`DefinitionError`."""
    try:
        return parse_definition(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DefinitionError(f"The dashboard {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DefinitionError(f"The dashboard {path} is not valid JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise DefinitionError(f"The dashboard {path} is not one of Grafana: {error!r}") from error


def parse_definition(document: Mapping[str, Any]) -> Definition:
    """Panels in the order of the grid. Raises ``KeyError`` or ``TypeError`` where the JSON is not Grafana's."""
    panels = [_panel(raw, row) for raw, row in _flat(document["panels"])]
    shown = sorted((panel for panel in panels if panel.targets), key=lambda panel: (panel.grid[1], panel.grid[0]))
    return Definition(document["title"], _refresh_s(document.get("refresh")), tuple(shown), _annotations(document))


def _flat(panels: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each panel, and the title of the row that keeps it folded."""
    for panel in panels:
        if panel["type"] == "row":
            title = panel.get("title", "") if panel.get("collapsed") else ""
            yield from ((inside, title) for inside in panel.get("panels", ()))
        else:
            yield panel, ""


def _panel(raw: Mapping[str, Any], row: str) -> Panel:
    defaults = raw.get("fieldConfig", {}).get("defaults", {})
    grid = raw["gridPos"]
    lines = defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off"
    return Panel(
        id=raw["id"],
        type=raw["type"],
        title=raw.get("title", ""),
        description=raw.get("description", ""),
        unit=defaults.get("unit", "short"),
        decimals=defaults.get("decimals"),
        minimum=defaults.get("min"),
        maximum=defaults.get("max"),
        thresholds=tuple(
            Threshold(step["value"], step["color"]) for step in defaults.get("thresholds", {}).get("steps", ())
        ),
        threshold_lines=lines,
        grid=(grid["x"], grid["y"], grid["w"], grid["h"]),
        targets=tuple(
            Target(target["refId"], target["expr"], target.get("legendFormat", ""))
            for target in raw.get("targets", ())
            if not target.get("hide")
        ),
        row=row,
    )


def _annotations(document: Mapping[str, Any]) -> tuple[Annotation, ...]:
    """Those that ask Prometheus; Grafana's own, of what people wrote into it, are only there."""
    listed = document.get("annotations", {}).get("list", ())
    return tuple(
        Annotation(each["name"], each["target"]["expr"], each.get("titleFormat", ""), each.get("iconColor", ""))
        for each in listed
        if each.get("enable", True) and each.get("target", {}).get("expr")
    )


def _refresh_s(text: object) -> int:
    """Grafana writes ``15s`` or, for a dashboard that does not refresh, nothing: then every minute is enough."""
    if isinstance(text, str) and text[-1:] in _SECONDS and text[:-1].isdigit():
        return max(int(text[:-1]) * _SECONDS[text[-1]], _SHORTEST_REFRESH_S)
    return 60
