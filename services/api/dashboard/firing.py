"""Alerts that fire now, each with its runbook and the panel that shows what it is about. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.api.dashboard.definition import Panel
from services.api.dashboard.schemas import AlertOut

#: Those of severity none fire by design.
ORDER = {"critical": 0, "warning": 1, "performance": 2, "info": 3}
_NO_METRIC = re.compile(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)')
_NAME = re.compile(r"[a-zA-Z_:][\w:]*(?!\w|\s*\()")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "on", "without", "ignoring", "inf", "nan"})
_PARTS = re.compile(r"_(?:bucket|count|sum)$")


def firing(groups: Sequence[Mapping[str, Any]], panels: Sequence[Panel]) -> list[AlertOut]:
    """Alerts that fire by Prometheus' rule groups, the gravest first; those of one rule are one row."""
    found = [
        _row(rule, alerts, panels)
        for group in groups
        for rule in group["rules"]
        if rule.get("type") == "alerting" and rule["labels"].get("severity") in ORDER
        if (alerts := [alert for alert in rule["alerts"] if alert["state"] == "firing"])
    ]
    return sorted(found, key=lambda each: (ORDER[each.severity], each.name))


def _row(rule: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]], panels: Sequence[Panel]) -> AlertOut:
    notes = alerts[0]["annotations"]
    url = str(notes.get("runbook_url", ""))
    return AlertOut(
        name=rule["name"],
        severity=rule["labels"]["severity"],
        summary=notes.get("summary", ""),
        count=len(alerts),
        since=min(alert["activeAt"] for alert in alerts),
        runbook=url if url.startswith(("https://", "http://")) else "",
        panel=panel_of(rule["query"], panels),
    )


def panel_of(query: str, panels: Sequence[Panel]) -> int | None:
    """The panel that asks for most of what the rule asks for, a chart before a stat; None where none asks for any."""
    asked = metrics(query)
    shared = [
        (len(asked & metrics(" ".join(each.expr for each in panel.targets))), panel.kind == "timeseries", -panel.id)
        for panel in panels
    ]
    most, _, best = max(shared, default=(0, False, 0))
    return -best if most else None


def metrics(expression: str) -> frozenset[str]:
    """Names of the metrics in an expression; a histogram's parts are one."""
    names = _NAME.findall(_NO_METRIC.sub(" ", expression))
    return frozenset(_PARTS.sub("", name) for name in names if name not in _WORDS and ("_" in name or ":" in name))
