"""Alerts that fire now, those that are kept quiet, and how much of it is noise."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.clients.alertmanager import HeldAlert, Silence
from tradebot_ops.facts import clock
from tradebot_ops.facts.alerting import alert_store, alertmanager
from tradebot_ops.facts.alerting.alert_store import BY_DESIGN
from tradebot_ops.facts.metrics import monitoring
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age

LONGEST = timedelta(days=7)
DAY = timedelta(days=1)
#: More than people take seriously, and as often as one rule may come back within a day.
MOST_A_DAY, MOST_OF_ONE = 30, 5


@check(
    "ALR-08",
    "Nothing critical fires, no silence is forgotten",
    asks=(alertmanager.alerts, alertmanager.silences, clock.now, monitoring.alertmanager),
    severity=Severity.CRITICAL,
    source="brief: no critical alert before production",
    anchor="config/prometheus/rules",
    remedy="tradebot alerts list",
)
def quiet(alerts: tuple[HeldAlert, ...], silences: tuple[Silence, ...], now: datetime, _answers: Answer) -> Verdict:
    """A stack on which something critical fires is not ready. A silence without an owner, without a reason or for
    more than a week outlives whoever made it, and hides the next outage.
    """
    critical = [alert for alert in alerts if alert.labels.get("severity") == "critical"]
    firing = [alert for alert in critical if alert.state != "suppressed"]
    hidden = [alert.name for alert in critical if alert.silenced_by]
    active = [silence for silence in silences if silence.state == "active"]
    bad = [s for s in active if s.ends_at - now > LONGEST or not s.author.strip() or not s.comment.strip()]
    observed = f"{len(firing)} critical, {len(active)} silences"
    evidence = "GET /api/v2/alerts: " + (", ".join(f"{a.name} {a.state}" for a in alerts) or "none")
    if firing:
        named = few(dict.fromkeys(alert.name for alert in firing))
        return failed(f"Critical alerts fire: {named}.", observed=observed, expected="none", evidence=evidence,
                      hint=f"tradebot runbook show {firing[0].name}")  # fmt: skip
    if bad:
        longest = (
            f"{' '.join(map(str, bad[0].matchers))} for {age(bad[0].ends_at - now)} by {bad[0].author or 'nobody'}"
        )
        return warned("Silences are too long, or without an owner or a reason.", observed=longest,
                      expected="an owner, a reason, at most 7 days", evidence=evidence,
                      hint=f"tradebot alerts unsilence {bad[0].id}")  # fmt: skip
    if hidden:
        return warned(f"Critical alerts are silenced: {few(dict.fromkeys(hidden))}.", observed=observed,
                      expected="none", evidence=evidence)  # fmt: skip
    return passed("Nothing critical fires.", observed=observed, evidence=evidence)


@check(
    "ALR-09",
    "Alerts are rare enough to be read",
    asks=(alert_store.history, clock.now),
    severity=Severity.MINOR,
    source="brief: Alert Accuracy above 95 %; Google SRE workbook, alert fatigue",
    anchor="config/prometheus/rules",
    remedy="tradebot alerts history",
)
def rare(history: tuple[dict[str, Any], ...], now: datetime) -> Verdict:
    """Counts what was stored within a day: alerts that come all the time, or come and go, teach people to look away.
    Whether they were right says `tradebot kpi`, once people acknowledge them.
    """
    since = now - DAY
    raised = {
        (alert["fingerprint"], alert["starts_at"]): alert["name"]
        for alert in history
        if alert["name"] not in BY_DESIGN and datetime.fromisoformat(alert["starts_at"]) > since
    }
    returning = Counter(fingerprint for fingerprint, _ in raised)
    flapping = {raised[key] for key in raised if returning[key[0]] > MOST_OF_ONE}
    observed = f"{len(raised)} within a day" + (f", flapping: {few(sorted(flapping))}" if flapping else "")
    expected = f"at most {MOST_A_DAY} a day, none more than {MOST_OF_ONE} times"
    evidence = f"GET /alerts?limit={alert_store.LIMIT}: {dict(Counter(raised.values()).most_common(5))}"
    if flapping:
        return warned(f"Alerts come and go: {few(sorted(flapping))}.", observed=observed, expected=expected,
                      evidence=evidence)  # fmt: skip
    if len(raised) > MOST_A_DAY:
        return warned("There are more alerts than anybody reads.", observed=observed, expected=expected,
                      evidence=evidence)  # fmt: skip
    return passed("Alerts are rare enough to be read.", observed=observed, evidence=evidence)
