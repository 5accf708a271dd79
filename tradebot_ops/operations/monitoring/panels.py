"""The panels of the Grafana dashboard, as the API serves them, for one look in a terminal or a pipe."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.quantities import latest, peak, quantity, sparkline
from tradebot_ops.text.sentences import ended

DASHBOARD = "trading-bot-dashboard.json"
#: What the API offers; kept equal by a test.
RANGES = ("15m", "1h", "6h", "24h", "7d")
TREND = 24
LINES = 8

#: The API's document: `GET /dashboard/panels`.
Document = dict[str, Any]


def look(ops: Ops, range_name: str) -> Document:
    """The panels with their series: from the API, or where that is away from Prometheus itself, which is then noted.

    Raises ``OpsError`` TB-0205 for an unknown range, and as ``Api`` does when Prometheus cannot be asked either.
    """
    if range_name not in RANGES:
        raise OpsError(f"'{range_name}' is not a range.", code="TB-0205", hint=f"Use one of: {', '.join(RANGES)}.")
    try:
        return ops.api.panels(range_name)
    except Unreachable as away:
        try:
            found = _directly(ops, range_name)
        except OpsError as error:
            message = f"{away.message} Prometheus cannot be asked instead: {error.message}"
            raise Unreachable(message, code=away.code, hint=away.hint) from None
        return found | {"direct": True, "note": f"{away.message.rstrip('.')}. Prometheus was asked instead."}


def _directly(ops: Ops, range_name: str) -> Document:
    panels = ops.panels
    file = next((each for each in config_files.dashboards(ops) if each.name == DASHBOARD), None)
    if file is None:
        raise OpsError(f"This stack has no {DASHBOARD}.", code="TB-0540", hint="tradebot dashboards list")
    found = panels.look(file, range_name)
    if found["status"] == "unavailable":
        raise OpsError(found["note"], code="TB-0540", hint="tradebot monitoring status")
    return found


def once(ops: Ops, range_name: str) -> Report:
    """One look as tables. Raises ``OpsError`` TB-0540 when Prometheus answers nothing at all."""
    document = look(ops, range_name)
    if document["status"] == "unavailable":
        hint = "tradebot monitoring status; if it does not run: tradebot monitoring start"
        raise OpsError(document["note"], code="TB-0540", hint=hint)
    return report(document)


def report(document: Document) -> Report:
    """Errors of panels as failures, old or missing data as warnings, values as tables. Pure."""
    shown = document["panels"]
    stats = [panel for panel in shown if panel["kind"] == "stat"]
    charts = [_chart(panel, document["range"]) for panel in shown if panel["kind"] == "timeseries" and _drawn(panel)]
    at = datetime.fromtimestamp(document["generated_at"]).astimezone()
    head = f"{document['title']}, last {document['range']}, until {at:%Y-%m-%d %H:%M:%S %Z}."
    rows = tuple(
        (panel["title"], quantity(panel["value"], panel["unit"], panel["decimals"]), _word(panel), _trend(panel))
        for panel in stats
    )
    return Report(
        data=document,
        sections=(
            Section(lines=(head,)),
            Section(tables=(Table(("panel", "now", "state", document["range"]), rows),)),
            *charts,
        ),
        findings=(*_direct(document), *(finding for panel in shown if (finding := _finding(panel)))),
    )


def _direct(document: Document) -> tuple[Finding, ...]:
    if not document.get("direct"):
        return ()
    return (Finding(Level.WARN, "dash.direct", document["note"], hint="tradebot status; tradebot logs api --tail 50"),)


def _chart(panel: Mapping[str, Any], range_name: str) -> Section:
    ranked = sorted(panel["series"], key=lambda one: (-(peak(one["values"]) or 0.0), one["name"]))
    rows = tuple(
        (
            one["name"],
            quantity(latest(one["values"]), panel["unit"]),
            quantity(peak(one["values"]), panel["unit"]),
            sparkline(one["values"], TREND, panel["min"]),
        )
        for one in ranked[:LINES]
    )
    more = len(ranked) - len(rows) + panel["hidden_series"]
    title = panel["title"] + (f" ({len(rows)} of {len(rows) + more}; --json has more)" if more else "")
    return Section(title, tables=(Table(("series", "now", "highest", range_name), rows),))


def _drawn(panel: Mapping[str, Any]) -> bool:
    return any(peak(one["values"]) is not None for one in panel["series"])


def _trend(panel: Mapping[str, Any]) -> str:
    return sparkline(panel["series"][0]["values"], TREND, panel["min"]) if panel["series"] else ""


def _word(panel: Mapping[str, Any]) -> str:
    if panel["status"] != "ok":
        return str(panel["status"])
    return "" if panel["level"] == "none" else str(panel["level"])


def _finding(panel: Mapping[str, Any]) -> Finding | None:
    if panel["status"] == "ok":
        return None
    level = Level.FAIL if panel["status"] == "error" else Level.WARN
    return Finding(level, f"dash.{panel['status']}", f"{panel['title']}: {ended(panel['note'])}")
