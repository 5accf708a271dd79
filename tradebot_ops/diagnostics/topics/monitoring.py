"""The monitoring itself, what it scrapes, and the alerts that it raises."""

from collections import Counter
from datetime import datetime

from tradebot_ops.clients.prometheus import PendingOrFiring, Target
from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts import moment
from tradebot_ops.facts.metrics import monitoring, prometheus
from tradebot_ops.model import Table
from tradebot_ops.text.quantities import age

TOPIC = Topic("monitoring", "Monitoring", order=70)
#: Fires always, by design.
ALWAYS = "Watchdog"


@look(asks=(monitoring.services,))
def services(answers: tuple[monitoring.Answer, ...]) -> View:
    problems = tuple(
        wrong(f"{each.service} does not answer: {each.detail.rstrip('.')}.", "tradebot monitoring status")
        for each in answers
        if not each.ok and not each.absent
    )
    ready = sum(each.ok for each in answers)
    return View((("services ready", f"{ready} of {sum(not each.absent for each in answers)}"),), problems=problems)


@look(asks=(prometheus.targets, monitoring.prometheus))
def targets(found: tuple[Target, ...], _prometheus: monitoring.Answer) -> View:
    """A target that was never scraped is no healthy one."""
    states = Counter(target.health for target in found)
    problems = [
        wrong(
            f"{target.job} at {target.instance} is down: {target.last_error.rstrip('.')}.",
            "tradebot monitoring targets",
        )
        for target in found
        if target.health == "down"
    ]
    if not found:
        problems.append(wrong("Prometheus has no target at all.", "tradebot monitoring restart"))
    if unknown := len(found) - states["up"] - states["down"]:
        problems.append(doubtful(f"{unknown} targets were not scraped yet.", "tradebot monitoring targets"))
    return View((("targets up", f"{states['up']} of {len(found)}"),), problems=tuple(problems))


@look(asks=(prometheus.alerts, moment.now, monitoring.prometheus))
def alerts(found: tuple[PendingOrFiring, ...], now: datetime, _prometheus: monitoring.Answer) -> View:
    firing = [alert for alert in found if alert.state == "firing" and alert.name != ALWAYS]
    firing.sort(key=lambda alert: (alert.labels.get("severity") != "critical", alert.active_since))
    rows = tuple(
        (
            alert.name,
            alert.labels.get("severity", ""),
            age(now - alert.active_since),
            alert.annotations.get("summary", ""),
        )
        for alert in firing
    )
    problems = [
        (wrong if alert.labels.get("severity") == "critical" else doubtful)(
            f"{alert.name} fires: {alert.annotations.get('summary', 'no summary').rstrip('.')}.",
            f"tradebot runbook show {alert.name}",
        )
        for alert in firing
        if alert.labels.get("severity") in {"critical", "warning"}
    ]
    if not any(alert.name == ALWAYS for alert in found):
        problems.append(wrong("Watchdog does not fire: alerts may not arrive.", "tradebot alerts test"))
    return View(table=Table(("alert", "severity", "since", "summary"), rows), problems=tuple(problems))
