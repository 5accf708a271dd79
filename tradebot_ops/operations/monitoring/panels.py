"""The panels of the Grafana dashboard, as the API serves them, for one look in a terminal or a pipe."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.quantities import age, latest, peak, quantity, sparkline
from tradebot_ops.text.sentences import ended

DASHBOARD = "trading-bot-dashboard.json"
#: What the API offers, and what it takes besides; kept equal by a test.
RANGES = ("15m", "1h", "6h", "24h", "7d")
_RANGE = re.compile(r"([1-9]\d{0,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST_S, LONGEST_S = 60, 92 * 86400
TREND = 24
LINES, EVENTS = 8, 8
#: So many lines of zeros are worth a fold.
FOLDED = 2

#: The API's document: `GET /dashboard/panels`.
Document = dict[str, Any]


def look(ops: Ops, range_name: str) -> Document:
    """The panels with their series: from the API, or where that is away from Prometheus itself, which is then noted.

    Raises ``OpsError`` TB-0205 for what is no range, and as ``Api`` does when Prometheus cannot be asked either.
    """
    if not is_range(range_name):
        hint = f"Use {', '.join(RANGES)}, or any from 1m to 92d, such as 90m."
        raise OpsError(f"'{range_name}' is not a range.", code="TB-0205", hint=hint)
    try:
        return ops.api.panels(range_name)
    except Unreachable as away:
        try:
            found = _directly(ops, range_name)
        except OpsError as error:
            message = f"{away.message} Prometheus cannot be asked instead: {error.message}"
            raise Unreachable(message, code=away.code, hint=away.hint) from None
        return found | {"direct": True, "note": f"{away.message.rstrip('.')}. Prometheus was asked instead."}


def is_range(text: str) -> bool:
    match = _RANGE.fullmatch(text)
    return match is not None and SHORTEST_S <= int(match[1]) * _SECONDS[match[2]] <= LONGEST_S


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
            _firing(document),
            *_events(document.get("events", ())),
            Section(tables=(Table(("panel", "now", "state", document["range"]), rows),)),
            *charts,
        ),
        findings=(
            *_direct(document),
            *_unknown(document),
            *(finding for panel in shown if (finding := _finding(panel))),
        ),
    )


def _direct(document: Document) -> tuple[Finding, ...]:
    if not document.get("direct"):
        return ()
    return (Finding(Level.WARN, "dash.direct", document["note"], hint="tradebot status; tradebot logs api --tail 50"),)


def _unknown(document: Document) -> tuple[Finding, ...]:
    """Findings about alerts and events that nobody could see: they are not quiet."""
    notes = {name: document.get(f"{name}_note") for name in ("firing", "events")}
    words = {"firing": "Whether alerts fire is not known", "events": "Events may be missing"}
    return tuple(
        Finding(Level.WARN, f"dash.{name}", f"{words[name]}: {ended(note)}", hint="tradebot monitoring status")
        for name, note in notes.items()
        if note
    )


def _firing(document: Document) -> Section:
    alerts = document.get("firing")
    if not alerts:
        return Section(lines=() if alerts is None else ("No alert fires.",))
    now = datetime.fromtimestamp(document["generated_at"]).astimezone()
    rows = tuple(
        (each["name"], each["severity"], str(each["count"]), age(now - datetime.fromisoformat(each["since"])),
         each["summary"])
        for each in alerts
    )  # fmt: skip
    table = Table(("alert", "severity", "firing", "for", "summary"), rows)
    return Section("Alerts", tables=(table,), lines=(f"What to do: tradebot runbook show {alerts[0]['name']}",))


def _events(found: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    """The newest of what happened within the range."""
    rows = tuple(
        (f"{datetime.fromtimestamp(each['at']).astimezone():%m-%d %H:%M:%S}", each["kind"].lower(), each["text"])
        for each in found[:EVENTS]
    )
    title = "Events" + (f" ({len(rows)} of {len(found)}; --json has more)" if len(found) > len(rows) else "")
    return (Section(title, tables=(Table(("at", "kind", "what"), rows),)),) if rows else ()


def living(panel: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its series without those that are nothing but zeros, as long as two of them are folded."""
    alive = [one for one in panel["series"] if any(one["values"])]
    return alive if len(panel["series"]) - len(alive) >= FOLDED else list(panel["series"])


def _chart(panel: Mapping[str, Any], range_name: str) -> Section:
    alive = living(panel)
    ranked = sorted(alive, key=lambda one: (-(peak(one["values"]) or 0.0), one["name"]))
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
    zeros = len(panel["series"]) - len(alive)
    lines = (f"{zeros} more at zero.",) if zeros else ()
    tables = (Table(("series", "now", "highest", range_name), rows),) if rows else ()
    return Section(title, tables=tables, lines=lines)


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
