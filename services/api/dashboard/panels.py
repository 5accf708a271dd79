"""Turns the dashboard's definition into series: the one place where a panel becomes data, for every reader.

A panel whose query fails carries the reason. It never looks like a panel where nothing happens.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from services.api.dashboard.definition import Definition, Panel, Target, Threshold, filled
from services.api.dashboard.events import events
from services.api.dashboard.firing import firing
from services.api.dashboard.prometheus import Found, QueryFailed, Source
from services.api.dashboard.schemas import DashboardOut, Level, PanelOut, PanelStatus, SeriesOut, ThresholdOut
from services.api.dashboard.window import Window, substitute

MAX_SERIES = 20
STALE_S = 60
_LEVELS: dict[str, Level] = {"red": "critical", "orange": "warning", "yellow": "warning", "green": "ok"}

Answer = list[Found] | QueryFailed


async def dashboard(definition: Definition, source: Source, shown: Window, range_name: str) -> DashboardOut:
    """Every panel with its series over the window, what happened in it, and what fires; all is asked at once."""
    answers, happened, groups = await asyncio.gather(
        asyncio.gather(*(_answers(panel, source, shown) for panel in definition.panels)),
        asyncio.gather(*(_answer(each.name, each.expr, source, shown) for each in definition.annotations)),
        _groups(source),
    )
    panels = [panel_out(panel, found, shown) for panel, found in zip(definition.panels, answers, strict=True)]
    failures = [answer for found in answers for answer in found if isinstance(answer, QueryFailed)]
    away = next((str(failure) for failure in failures if failure.unreachable), "")
    unavailable = bool(away) and all(panel.status == "error" for panel in panels)
    panels = _without_absent_rows(definition.panels, panels, unavailable=unavailable)
    failed = [panel for panel in panels if panel.status == "error"]
    note = f"{len(failed)} of {len(panels)} panels failed." if failed else ""
    return DashboardOut(
        title=definition.title,
        status="unavailable" if unavailable else "partial" if failed else "ok",
        note=f"Monitoring is unavailable: {away}." if unavailable else note,
        range=range_name,
        end=None,
        refresh_s=definition.refresh_s,
        step_s=shown.step,
        generated_at=shown.end,
        times=shown.times,
        panels=panels,
        events=events(definition.annotations, happened, shown),
        events_note="; ".join(sorted({str(each) for each in happened if isinstance(each, QueryFailed)})),
        firing=None if isinstance(groups, QueryFailed) else firing(groups, definition.panels),
        firing_note=str(groups) if isinstance(groups, QueryFailed) else "",
    )


def _without_absent_rows(panels: Sequence[Panel], found: Sequence[PanelOut], *, unavailable: bool) -> list[PanelOut]:
    """Without the folded rows of which nothing reports anything: this stack has not what they are about.

    A query that fails leaves that open, and its row is there; where all fail, the document says so once.
    """
    pairs = list(zip(panels, found, strict=True))
    there = {panel.row for panel, out in pairs if out.series or (out.status == "error" and not unavailable)}
    return [out for panel, out in pairs if not panel.row or panel.row in there]


async def _answers(panel: Panel, source: Source, shown: Window) -> list[Answer]:
    if panel.kind == "unknown":
        return [QueryFailed(f"a panel of type '{panel.type}' cannot be drawn here, only in Grafana")]
    asked = (_answer(f"query {target.ref}", target.expr, source, shown) for target in panel.targets)
    return list(await asyncio.gather(*asked))


async def _answer(name: str, expr: str, source: Source, shown: Window) -> Answer:
    try:
        return await source.ask(substitute(expr, shown), shown)
    except QueryFailed as failure:
        return failure
    except ValueError as error:
        return QueryFailed(f"{name}: {error}")


async def _groups(source: Source) -> list[Any] | QueryFailed:
    try:
        return await source.rules()
    except QueryFailed as failure:
        return failure


def panel_out(panel: Panel, answers: Sequence[Answer], shown: Window) -> PanelOut:
    """One panel from the answers to its queries, in the order of its targets. Pure."""
    named = [
        (_name(target, found.labels, panel.title), found)
        for target, answer in zip(panel.targets, answers, strict=False)
        if not isinstance(answer, QueryFailed)
        for found in answer
    ]
    series = [SeriesOut(name=name, values=aligned(found, shown)) for name, found in named]
    drawn = series if panel.kind == "stat" else _living_first(_largest(series))
    age_s = _age_s([found for _, found in named], shown)
    value = _last(series[0].values) if panel.kind == "stat" and series else None
    status, note = _judge(panel, answers, series, age_s, shown)
    return PanelOut(
        **_looks(panel),
        status=status,
        note=note,
        value=value,
        level="none" if value is None else _level(panel.thresholds, value),
        age_s=age_s,
        series=drawn,
        hidden_series=len(series) - len(drawn),
    )


def aligned(found: Found, shown: Window) -> list[float | None]:
    """The samples on the window's moments. NaN and infinity, which JSON does not have, become None."""
    values: list[float | None] = [None] * shown.points
    for at, value in found.samples:
        place = round((at - shown.start) / shown.step)
        if 0 <= place < shown.points and math.isfinite(value):
            values[place] = value
    return values


def _judge(
    panel: Panel, answers: Sequence[Answer], series: Sequence[SeriesOut], age_s: int | None, shown: Window
) -> tuple[PanelStatus, str]:
    failures = [
        f"query {target.ref}: {answer}" if len(panel.targets) > 1 else str(answer)
        for target, answer in zip(panel.targets, answers, strict=False)
        if isinstance(answer, QueryFailed)
    ]
    if failures:
        # One cause usually fails all queries of a panel: say it once.
        texts = {str(answer) for answer in answers}
        return "error", texts.pop() if len(texts) == 1 else "; ".join(failures)
    if age_s is None:
        return "empty", "No series: nothing reports what this panel asks for."
    if age_s >= max(STALE_S, shown.step):
        return "stale", f"The last sample is {_duration(age_s)} old."
    if all(_last(one.values) is None for one in series):
        return "empty", "Nothing to measure in this range."
    return "ok", ""


def _age_s(found: Sequence[Found], shown: Window) -> int | None:
    """Of the newest sample. NaN counts: it says that the series lives, though there is nothing to divide by."""
    newest = [one.samples[-1][0] for one in found if one.samples]
    return max(0, round(shown.end - max(newest))) if newest else None


def _largest(series: Sequence[SeriesOut]) -> list[SeriesOut]:
    if len(series) <= MAX_SERIES:
        return list(series)
    peaks = {id(one): max((value for value in one.values if value is not None), default=-math.inf) for one in series}
    kept = {id(one) for one in sorted(series, key=lambda one: peaks[id(one)], reverse=True)[:MAX_SERIES]}
    return [one for one in series if id(one) in kept]


def _living_first(series: Sequence[SeriesOut]) -> list[SeriesOut]:
    """Lines of nothing but zeros last, where a legend folds them; else the order stays."""
    return sorted(series, key=lambda one: not any(one.values))


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _name(target: Target, labels: Mapping[str, str], title: str) -> str:
    """The legend with its labels filled in; without one the labels themselves, as Prometheus writes them."""
    if target.legend and target.legend != "__auto":
        return filled(target.legend, labels)
    shown = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{shown}}}" if shown else labels.get("__name__", title)


def _level(thresholds: Sequence[Threshold], value: float) -> Level:
    reached = [step.color for step in thresholds if step.value is None or value >= step.value]
    return _LEVELS.get(reached[-1], "none") if reached else "none"


def _looks(panel: Panel) -> dict[str, Any]:
    x, y, width, height = panel.grid
    return {
        "id": panel.id,
        "kind": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "unit": panel.unit,
        "decimals": panel.decimals,
        "min": panel.minimum,
        "max": panel.maximum,
        "thresholds": [
            ThresholdOut(value=step.value, color=step.color, level=_LEVELS.get(step.color, "none"))
            for step in panel.thresholds
        ],
        "threshold_lines": panel.threshold_lines,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
    }


def _duration(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
