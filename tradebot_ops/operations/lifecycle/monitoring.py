"""The monitoring services as one thing: start, stop, restart, look at."""

from dataclasses import replace
from datetime import datetime

from tradebot_ops.context import START_MONITORING, Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.alerting import alert_store, alertmanager
from tradebot_ops.facts.alerting.alert_store import WATCHDOG_LIMIT
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.metrics.monitoring import PROFILE, names
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.lifecycle import startstop
from tradebot_ops.operations.lifecycle.status import status as services_status
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.progress import OnProgress
from tradebot_ops.text.quantities import age

_ASKED = (
    prometheus.status, prometheus.targets, prometheus.rules,
    alertmanager.status, alertmanager.silences, alertmanager.receivers, alert_store.watchdog_heard,
)  # fmt: skip
#: What to show, and what is wrong with it.
Shown = tuple[dict[str, str], list[Finding]]


def with_monitoring(ops: Ops) -> Ops:
    """The same world with the monitoring in it, even where the core alone was chosen."""
    if PROFILE in ops.profiles or "*" in ops.profiles:
        return ops
    return ops.with_settings(replace(ops.settings, profiles=(*ops.profiles, PROFILE)))


def start(ops: Ops, on_progress: OnProgress, command: str) -> Report:
    """Make the monitoring run, the core being as it is; what cannot run here is named."""
    with change(ops, command, on_progress=on_progress):
        return up(ops, names(ops), on_progress, prove=False, dependencies=False)


def stop(ops: Ops, on_progress: OnProgress) -> Report:
    with change(ops, "monitoring stop", on_progress=on_progress):
        return startstop.stop(ops, _made(ops), on_progress)


def restart(ops: Ops, on_progress: OnProgress) -> Report:
    with change(ops, "monitoring restart", on_progress=on_progress):
        return startstop.restart(ops, _made(ops), on_progress)


def _made(ops: Ops) -> list[str]:
    """Those that exist; without any, all of them, so that nothing else is meant."""
    found = {replica.service for replica in ops.engine.list()}
    return [name for name in names(ops) if name in found] or names(ops)


def status(ops: Ops) -> Report:
    """The services, and what Prometheus and Alertmanager say of themselves; a silent one is named."""
    shown = services_status(ops, names(ops), only=True)
    if any(found.id == "status.down" for found in shown.findings) and ops.engine.list():
        nothing = Finding(Level.FAIL, "status.down", "Nothing of the monitoring runs.", hint=START_MONITORING)
        shown = replace(shown, findings=(nothing,))
    facts = Facts(ops)
    facts.start(_ASKED)
    rows: list[tuple[str, str]] = []
    findings = list(shown.findings)
    data = dict(shown.data if isinstance(shown.data, dict) else {})
    for about, ask in (
        ("prometheus", _prometheus_facts), ("alertmanager", _alertmanager_facts), ("watchdog", _watchdog_facts),
    ):  # fmt: skip
        try:
            answers, wrong = ask(facts, ops.clock())
            rows += answers.items()
            findings += wrong
            data[about] = answers
        except OpsError as error:
            rows.append((about, error.message))
            data[about] = {"error": error.message}
            findings.append(Finding(Level.FAIL, error.code, error.message, hint=error.hint))
    return replace(
        shown,
        data=data,
        findings=tuple(findings),
        sections=(*shown.sections, Section(tables=(Table(("", ""), tuple(rows)),))),
        failure=ExitCode.DEPENDENCY_UNREACHABLE if len(findings) > len(shown.findings) else shown.failure,
    )


def _prometheus_facts(facts: Facts, _now: datetime) -> Shown:
    found = facts.required(prometheus.status)
    targets = facts.required(prometheus.targets)
    rules = facts.required(prometheus.rules)
    firing = sorted({rule.name for rule in rules if rule.state == "firing"} - {"Watchdog"})
    return {
        "prometheus": found.version,
        "targets": f"{sum(target.health == 'up' for target in targets)} of {len(targets)} up",
        "rules": f"{len(rules)}, {sum(rule.health == 'err' for rule in rules)} with errors",
        "firing": ", ".join(firing) or "nothing",
        "series": str(found.series),
        "retention": found.retention,
        "configuration": "loaded" if found.config_loaded else "the last reload failed",
        "sends alerts to": ", ".join(found.alertmanagers) or "nobody",
    }, []


def _alertmanager_facts(facts: Facts, _now: datetime) -> Shown:
    found = facts.required(alertmanager.status)
    receivers = facts.required(alertmanager.receivers)
    active = [silence for silence in facts.required(alertmanager.silences) if silence.state == "active"]
    return {
        "alertmanager": found.version,
        "receivers": ", ".join(receivers),
        "silences": str(len(active)),
        "its configuration": "loaded" if found.config_loaded else "the last reload failed",
    }, []


def _watchdog_facts(facts: Facts, now: datetime) -> Shown:
    """Does what always fires arrive in the store? A start less than the limit ago excuses its absence."""
    heard = facts.required(alert_store.watchdog_heard)
    started = max(facts.required(prometheus.status).started, facts.required(alertmanager.status).started)
    return watchdog(heard, started, now)


def watchdog(heard: datetime | None, started: datetime, now: datetime) -> Shown:
    """The report on Watchdog, last ``heard`` of, where the younger of Prometheus and Alertmanager ``started``."""
    state = "never arrived" if heard is None else f"arrived {age(now - heard)} ago"
    facts = {"watchdog": state}
    if now - (heard or started) <= WATCHDOG_LIMIT or now - started <= WATCHDOG_LIMIT:
        return facts, []
    message = f"Watchdog {state}, so other alerts would not arrive either."
    return facts, [Finding(Level.FAIL, "watchdog.late", message, hint="tradebot alerts test")]
