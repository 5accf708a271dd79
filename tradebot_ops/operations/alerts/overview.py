"""Alerts that fire now, those that fired before, and one alert with its rule."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tradebot_ops.clients.alertmanager import HeldAlert, Silence
from tradebot_ops.clients.prometheus import PendingOrFiring, Rule
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.alerting import alertmanager
from tradebot_ops.facts.alerting.alert_store import BACKGROUND
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.quantities import age

_ORDER = {"critical": 0, "warning": 1, "performance": 2, "info": 3}


def list_(ops: Ops, *, every: bool) -> Report:
    """Alerts that fire or are about to, with silences; ``every`` adds what fires by design."""
    facts = Facts(ops)
    facts.start((alertmanager.alerts, prometheus.alerts, alertmanager.silences))
    held = facts.required(alertmanager.alerts)
    pending = [alert for alert in facts.required(prometheus.alerts) if alert.state == "pending"]
    found = [_row(alert) for alert in held] + [_pending(alert) for alert in pending]
    found = [row for row in found if every or row["name"] not in BACKGROUND]
    found.sort(key=lambda row: (_ORDER.get(row["severity"], 9), row["name"]))
    silences = [silence for silence in facts.required(alertmanager.silences) if silence.state != "expired"]
    rows = tuple((row["name"], row["severity"], row["state"], _ago(row["since"]), row["summary"]) for row in found)
    sections = [
        Section(tables=(Table(("alert", "severity", "state", "for", "summary"), rows),))
        if rows
        else Section(lines=("Nothing fires.",))
    ]
    if silences:
        sections.append(Section("Silences", tables=(_silences(silences),)))
    data = {"alerts": found, "silences": [_silence_data(silence) for silence in silences]}
    return Report(data=data, sections=tuple(sections))


def _row(alert: HeldAlert) -> dict[str, Any]:
    state = "silenced" if alert.silenced_by else "inhibited" if alert.inhibited_by else "firing"
    return _facts(alert.name, state, alert.labels, alert.annotations, alert.starts_at)


def _pending(alert: PendingOrFiring) -> dict[str, Any]:
    return _facts(alert.name, "pending", alert.labels, alert.annotations, alert.active_since)


def _facts(name: str, state: str, labels: Any, annotations: Any, since: datetime) -> dict[str, Any]:
    hidden = {"alertname", "severity", "category", "outage"}
    what = " ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key not in hidden)
    return {
        "name": name,
        "severity": labels.get("severity", ""),
        "state": state,
        "since": since.isoformat(),
        "what": what,
        "summary": annotations.get("summary", ""),
        "labels": dict(labels),
    }


def _ago(since: str) -> str:
    return age(datetime.now(UTC) - datetime.fromisoformat(since))


def _silences(found: Sequence[Silence]) -> Table:
    rows = tuple(
        (
            silence.id,
            " ".join(map(str, silence.matchers)),
            f"{silence.ends_at:%m-%d %H:%M}",
            silence.author,
            silence.comment,
        )
        for silence in found
    )
    return Table(("silence", "matches", "until (UTC)", "by", "why"), rows)


def _silence_data(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id,
        "state": silence.state,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
        "author": silence.author,
        "comment": silence.comment,
    }


def show(ops: Ops, name: str) -> Report:
    """One alert: its rule, whether it fires, and the first lines of its runbook. Raises ``OpsError`` TB-0216."""
    rules = [rule for rule in ops.prometheus.rules() if rule.kind == "alerting" and rule.name.lower() == name.lower()]
    if not rules:
        raise OpsError(f"There is no alert {name}.", code="TB-0216", hint="tradebot monitoring rules")
    active = [_facts(a.name, a.state, a.labels, a.annotations, a.active_since) for a in ops.prometheus.alerts()]
    active = [row for row in active if row["name"] == rules[0].name]
    sections = [Section(tables=(Table(("", ""), _rule_rows(rule)),)) for rule in rules]
    rows = tuple((row["state"], _ago(row["since"]), row["what"], row["summary"]) for row in active)
    table = Table(("state", "for", "where", "summary"), rows)
    sections.append(Section("Now", tables=(table,)) if rows else Section("Now", lines=("It does not fire.",)))
    sections.append(Section(lines=(f"What to do: tradebot runbook show {rules[0].name}",)))
    data = {"rules": [dict(_rule_rows(rule)) for rule in rules], "active": active}
    return Report(data=data, sections=tuple(sections))


def _rule_rows(rule: Rule) -> tuple[tuple[str, str], ...]:
    return (
        ("alert", rule.name),
        ("severity", rule.labels.get("severity", "")),
        ("fires after", f"{rule.for_seconds:.0f} s"),
        ("state", rule.state),
        ("query", rule.query),
        ("summary", rule.annotations.get("summary", "")),
        ("description", rule.annotations.get("description", "")),
        ("file", rule.file),
    )


def history(ops: Ops, name: str | None, limit: int) -> Report:
    """Alerts that the API received from Alertmanager and stored, newest first; Watchdog and the like only by name."""
    found = ops.api.alerts(500 if name is None else limit, name)
    found = [alert for alert in found if name is not None or alert["name"] not in BACKGROUND][:limit]
    rows = tuple(
        (_second(alert["received_at"]), _second(alert["last_received_at"]), alert["name"], alert["status"],
         alert["severity"], alert["annotations"].get("summary", ""))
        for alert in found
    )  # fmt: skip
    table = Table(("received (UTC)", "last repeated", "alert", "status", "severity", "summary"), rows)
    nothing = "No alert was stored yet." if name is None else f"No alert of the name {name} is stored."
    section = Section(tables=(table,)) if rows else Section(lines=(nothing,))
    return Report(data={"alerts": found}, sections=(section,))


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")
