"""Alerts that fire now, those that fired before, and one alert with its rule."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from tradebot_ops.clients.alertmanager import HeldAlert, Silence
from tradebot_ops.clients.prometheus import PendingOrFiring, Rule
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.alerting import alert_store, alertmanager
from tradebot_ops.facts.alerting.alert_store import BACKGROUND
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Unknown
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.alerts.silences import fits
from tradebot_ops.text.beginnings import short
from tradebot_ops.text.quantities import age

T = TypeVar("T")

_ORDER = {"critical": 0, "warning": 1, "performance": 2, "info": 3}


def list_(ops: Ops, *, every: bool) -> Report:
    """Alerts that fire or are about to, with silences and acknowledgements; ``every`` adds what fires by design."""
    facts = Facts(ops)
    facts.start((alertmanager.alerts, prometheus.alerts, alertmanager.silences, alert_store.history))
    held = facts.required(alertmanager.alerts)
    pending = [alert for alert in facts.required(prometheus.alerts) if alert.state == "pending"]
    stored, unread = _perhaps(facts, alert_store.history)
    acknowledged = {(each["fingerprint"], _moment(each["starts_at"])): each["acknowledged"] for each in stored}
    found = [_row(alert) | {"acknowledged": acknowledged.get((alert.fingerprint, alert.starts_at))} for alert in held]
    found += [_pending(alert) | {"acknowledged": None} for alert in pending]
    found = [row for row in found if every or row["name"] not in BACKGROUND]
    found.sort(key=lambda row: (_ORDER.get(row["severity"], 9), row["name"]))
    silences = [silence for silence in facts.required(alertmanager.silences) if silence.state != "expired"]
    found = [row | {"silenced_by": _who(row["silences"], silences)} for row in found]
    rows = tuple(
        (row["name"], row["severity"], row["state"], _ago(row["since"]), row["where"], row["summary"],
         row["silenced_by"], _verdict(row["acknowledged"]))
        for row in found
    )  # fmt: skip
    columns = ("alert", "severity", "state", "for", "where", "summary", "silenced by", "acknowledged")
    sections = [Section(tables=(Table(columns, rows),)) if rows else Section(lines=("Nothing fires.",))]
    if silences:
        sections.append(Section("Silences", tables=(_silences(silences),)))
    data = {"alerts": found, "silences": [_silence_data(silence) for silence in silences]}
    warnings = tuple(f"Who acknowledged an alert is not known: {why}" for why in unread if rows)
    return Report(data=data, sections=tuple(sections), warnings=warnings)


def _row(alert: HeldAlert) -> dict[str, Any]:
    state = "silenced" if alert.silenced_by else "inhibited" if alert.inhibited_by else "firing"
    return _facts(alert.name, state, alert.labels, alert.annotations, alert.starts_at, alert.silenced_by)


def _who(ids: Sequence[str], silences: Sequence[Silence]) -> str:
    """Who keeps an alert quiet, each once."""
    return ", ".join(dict.fromkeys(each.author for each in silences if each.id in ids))


def _pending(alert: PendingOrFiring) -> dict[str, Any]:
    return _facts(alert.name, alert.state, alert.labels, alert.annotations, alert.active_since)


def _facts(
    name: str, state: str, labels: Any, annotations: Any, since: datetime, silenced_by: Sequence[str] = ()
) -> dict[str, Any]:
    hidden = {"alertname", "severity", "category", "outage"}
    what = " ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key not in hidden)
    others = (f"{key}={value}" for key, value in sorted(labels.items()) if key not in {*hidden, "instance"})
    return {
        "name": name,
        "severity": labels.get("severity", ""),
        "state": state,
        "since": since.isoformat(),
        "what": what,
        "where": " ".join(filter(None, (labels.get("instance", ""), *others))),
        "summary": annotations.get("summary", ""),
        "labels": dict(labels),
        "silences": list(silenced_by),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _ago(since: str) -> str:
    return age(datetime.now(UTC) - _moment(since))


def _silences(found: Sequence[Silence]) -> Table:
    ids = short([silence.id for silence in found])
    rows = tuple(
        (
            ids[silence.id],
            " ".join(map(str, silence.matchers)),
            f"{silence.ends_at.astimezone(UTC):%m-%d %H:%M}",
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
    """One alert: its rule, whether it fires or is silenced, and where its runbook is. Raises ``OpsError`` TB-0216."""
    facts = Facts(ops)
    facts.start((prometheus.alerts, alertmanager.alerts, alertmanager.silences))
    rules = [rule for rule in ops.prometheus.rules() if rule.kind == "alerting" and rule.name.lower() == name.lower()]
    if not rules:
        raise OpsError(f"There is no alert {name}.", code="TB-0216", hint="tradebot monitoring rules")
    name = rules[0].name
    held, unheld = _perhaps(facts, alertmanager.alerts)
    silences, unsilenced = _perhaps(facts, alertmanager.silences)
    warnings = tuple(f"Silences are not known: {why}" for why in dict.fromkeys((*unheld, *unsilenced)))
    in_force = [each for each in silences if each.state != "expired"]
    active = [_now(alert, held, in_force) for alert in facts.required(prometheus.alerts) if alert.name == name]
    ours = [each for each in in_force if any(each.id in row["silences"] for row in active) or _names(each, name)]
    sections = [Section(tables=(Table(("", ""), _rule_rows(rule)),)) for rule in rules]
    rows = tuple((row["state"], _ago(row["since"]), row["where"], row["summary"], row["silenced_by"]) for row in active)
    table = Table(("state", "for", "where", "summary", "silenced by"), rows)
    sections.append(Section("Now", tables=(table,)) if rows else Section("Now", lines=("It does not fire.",)))
    if ours:
        sections.append(Section("Silences", tables=(_silences(ours),)))
    sections.append(Section(lines=(f"What to do: tradebot runbook show {name}",)))
    data = {
        "rules": [dict(_rule_rows(rule)) for rule in rules],
        "active": active,
        "silences": [_silence_data(each) for each in ours],
    }
    return Report(data=data, sections=tuple(sections), warnings=warnings)


def _perhaps(facts: Facts, fact: Fact[tuple[T, ...]]) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """The answer, or none and why."""
    answer = facts.value(fact)
    return ((), (answer.why,)) if isinstance(answer, Unknown | NotHere) else (answer, ())


def _now(alert: PendingOrFiring, held: Sequence[HeldAlert], silences: Sequence[Silence]) -> dict[str, Any]:
    """An alert of Prometheus, with what Alertmanager does about it where it has it."""
    its = next((each for each in held if alert.labels.items() <= each.labels.items()), None)
    row = _pending(alert) if its is None or alert.state == "pending" else _row(its)
    return row | {"silenced_by": _who(row["silences"], silences)}


def _names(silence: Silence, name: str) -> bool:
    """Whether it is about the alert of that name, firing or not."""
    named = [each for each in silence.matchers if each.name == "alertname" and each.equal]
    return bool(named) and all(fits(each, (name,)) for each in named)


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
         alert["severity"], alert["annotations"].get("summary", ""), _verdict(alert["acknowledged"]))
        for alert in found
    )  # fmt: skip
    columns = ("received (UTC)", "last repeated", "alert", "status", "severity", "summary", "acknowledged")
    table = Table(columns, rows)
    nothing = "No alert was stored yet." if name is None else f"No alert of the name {name} is stored."
    section = Section(tables=(table,)) if rows else Section(lines=(nothing,))
    return Report(data={"alerts": found}, sections=(section,))


def _verdict(acknowledged: Mapping[str, Any] | None) -> str:
    """Who looked at the firing, and what they found."""
    if acknowledged is None:
        return ""
    found = ["false", acknowledged["reason"]] if acknowledged["false_positive"] else [acknowledged["reason"]]
    return f"by {acknowledged['by']}" + "".join(f", {each}" for each in found if each)


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")
