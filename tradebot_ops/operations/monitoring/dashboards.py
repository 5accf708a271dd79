"""Dashboards: what they show, and whether every panel would."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.monitoring.contract import Use, check, dashboard_uses, late, panels
from tradebot_ops.monitoring.promql import parse, read, with_minutes
from tradebot_ops.text.sentences import agreed, ended

COLUMNS = 24  # of Grafana's grid
Panel = Mapping[str, Any]


def list_(ops: Ops) -> Report:
    """Each panel with its kind and queries."""
    rows, data = [], []
    for file in config_files.dashboards(ops):
        found = config_files.document(file)
        for panel in panels(found):
            queries = [target.get("expr", "") for target in panel.get("targets", ())]
            number, title, kind = panel.get("id"), panel.get("title", ""), panel.get("type", "")
            rows.append((str(number), title, kind, queries[0] if queries else ""))
            data.append({"dashboard": found.get("title"), "file": str(file), "id": number, "title": title,
                         "type": kind, "queries": queries})  # fmt: skip
    table = Table(("id", "panel", "kind", "query"), tuple(rows))
    return Report(data=data, sections=(Section(tables=(table,)),))


def lint(ops: Ops) -> Report:
    """Layout, ids, syntax of every query, metrics that something emits; and data, where Prometheus can be asked."""
    findings: list[Finding] = []
    count, sound = 0, list[Use]()
    for file in config_files.dashboards(ops):
        found = config_files.document(file)
        count += len(panels(found))
        findings += [Finding(Level.FAIL, "dashboard.layout", f"{file.name}: {what}.") for what in layout(found)]
        uses = dashboard_uses(found)
        broken = {use: why for use in uses if (why := _unreadable(use))}
        findings += [
            Finding(Level.FAIL, "dashboard.query", f"{file.name}: {use.where}: {ended(why)}")
            for use, why in broken.items()
        ]
        sound += [use for use in uses if use not in broken]
    findings += _contract(ops, sound)
    empty, not_asked = _data(ops, sound, findings)
    wrong = agreed(f"{len(findings)} problems") if findings else "nothing is wrong"
    asked = f"They were not asked for data: {not_asked}" if not_asked else "Each query was asked of Prometheus."
    return Report(
        data={"panels": count, "empty": empty, "asked": not not_asked, "why_not_asked": not_asked},
        findings=tuple(findings),
        sections=(Section(lines=(agreed(f"{count} panels looked at: {wrong}. {asked}"),)),),
    )


def _unreadable(use: Use) -> str:
    try:
        parse(use.expression)
    except OpsError as error:
        return error.message
    return ""


def _contract(ops: Ops, sound: Iterable[Use]) -> list[Finding]:
    """Panels may use what rules record; a rule that is no PromQL is not a panel's fault."""
    recordings = [use for use in config_files.uses(ops) if use.records and not _unreadable(use)]
    broken = check([*recordings, *sound], config_files.declared(ops)).broken
    return [Finding(Level.FAIL, "dashboard.contract", f"{each}.") for each in broken if each.where.startswith("panel")]


def _data(ops: Ops, sound: Sequence[Use], findings: list[Finding]) -> tuple[list[str], str]:
    """Queries without data now, and why Prometheus was not asked, if it was not; what is wrong is added."""
    empty = []
    absent = late(config_files.declared(ops))
    try:
        for use in sound:
            try:
                series = ops.prometheus.query(with_minutes(use.expression))
            except Refused as error:
                findings.append(Finding(Level.FAIL, "dashboard.data", f"{use.where}: {error.message}"))
                continue
            if not series and not read(use.expression, lambda _name: None).used <= absent:
                empty.append(use.where)
                message = f"{use.where} has no data now: {use.expression}"
                findings.append(Finding(Level.WARN, "dashboard.empty", message, hint="tradebot monitoring targets"))
    except OpsError as error:
        return empty, error.message
    return empty, ""


# Layout


def layout(found: Panel) -> list[str]:
    """Faults of ids and places, in words."""
    every = panels(found)
    ids = [panel.get("id") for panel in every]
    wrong = [f"the id {each} is used twice" for each in sorted({i for i in ids if i is not None and ids.count(i) > 1})]
    wrong += [f"panel {panel.get('title')!r} has no id" for panel in every if panel.get("id") is None]
    wrong += [
        f"panel {panel.get('title')!r} has a target without a query"
        for panel in every
        if any("expr" not in target for target in panel.get("targets", ()))
    ]
    # A folded row keeps its panels at places that those below it take meanwhile.
    rows = [panel.get("panels", ()) for panel in found.get("panels", ()) if panel.get("type") == "row"]
    for beside in (found.get("panels", ()), *rows):
        wrong += _places(beside)
    return wrong


def _places(beside: Sequence[Panel]) -> list[str]:
    wrong = []
    for index, one in enumerate(beside):
        grid = one.get("gridPos", {})
        if not {"x", "y", "w", "h"} <= grid.keys() or grid["x"] + grid["w"] > COLUMNS:
            wrong.append(f"panel {one.get('title')!r} does not lie on the grid of {COLUMNS} columns")
            continue
        wrong += [
            f"panels {one.get('title')!r} and {other.get('title')!r} lie on one another"
            for other in beside[index + 1 :]
            if _overlap(grid, other.get("gridPos", {}))
        ]
    return wrong


def _overlap(one: Panel, other: Panel) -> bool:
    if not {"x", "y", "w", "h"} <= other.keys():
        return False
    apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not apart_x and not apart_y
