"""Dashboards: what they show, and whether every panel would."""

from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations import metrics
from tradebot_ops.stack.contract import check, dashboard_uses
from tradebot_ops.stack.promql import parse

COLUMNS = 24  # of Grafana's grid
Panel = dict[str, Any]


def list_(ops: Ops) -> Report:
    """Each panel with its kind and queries."""
    rows, data = [], []
    for file in metrics.dashboards(ops):
        found = metrics.document(file)
        for panel in found.get("panels", ()):
            queries = [target["expr"] for target in panel.get("targets", ())]
            rows.append((str(panel["id"]), panel["title"], panel["type"], queries[0] if queries else ""))
            data.append({"dashboard": found.get("title"), "file": str(file), "id": panel["id"], "title": panel["title"],
                         "type": panel["type"], "queries": queries})  # fmt: skip
    table = Table(("id", "panel", "kind", "query"), tuple(rows))
    return Report("dashboards.list", data=data, sections=(Section(tables=(table,)),))


def lint(ops: Ops) -> Report:
    """Layout, ids, syntax of every query, and metrics that something emits; with Prometheus there, also data."""
    findings: list[Finding] = []
    panels = 0
    for file in metrics.dashboards(ops):
        found = metrics.document(file)
        panels += len(found.get("panels", ()))
        findings += [Finding(Level.FAIL, "dashboard.layout", f"{file.name}: {what}.") for what in _layout(found)]
        findings += _queries(file.name, found)
        if not findings:
            broken = check([*metrics.uses(ops), *dashboard_uses(found)], metrics.declared(ops)).broken
            findings += [
                Finding(Level.FAIL, "dashboard.contract", f"{each}.")
                for each in broken
                if each.where.startswith("panel")
            ]
    line = f"{panels} panels looked at: {'nothing is wrong' if not findings else f'{len(findings)} problems'}."
    return Report(
        "dashboards.lint", data={"panels": panels}, findings=tuple(findings), sections=(Section(lines=(line,)),)
    )


def _layout(found: dict[str, Any]) -> list[str]:
    panels = found.get("panels", [])
    wrong = []
    ids = [panel.get("id") for panel in panels]
    wrong += [f"the id {each} is used twice" for each in sorted({i for i in ids if ids.count(i) > 1})]
    for panel in panels:
        grid = panel.get("gridPos", {})
        if not {"x", "y", "w", "h"} <= grid.keys() or grid["x"] + grid["w"] > COLUMNS:
            wrong.append(f"panel {panel.get('title')!r} does not lie on the grid of {COLUMNS} columns")
    for index, one in enumerate(panels):
        wrong += [
            f"panels {one['title']!r} and {other['title']!r} lie on one another"
            for other in panels[index + 1 :]
            if _overlap(one.get("gridPos", {}), other.get("gridPos", {}))
        ]
    return wrong


def _overlap(one: Panel, other: Panel) -> bool:
    if not one or not other:
        return False
    apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not apart_x and not apart_y


def _queries(name: str, found: dict[str, Any]) -> list[Finding]:
    findings = []
    for use in dashboard_uses(found):
        try:
            parse(use.expression)
        except OpsError as error:
            findings.append(Finding(Level.FAIL, "dashboard.query", f"{name}: {use.where}: {error.message}."))
    return findings
