"""The way of an alert: Prometheus, Alertmanager, a receiver that notifies a person."""

from datetime import datetime, timedelta

from tradebot_ops.clients.alertmanager import Status
from tradebot_ops.clients.prometheus import Status as PrometheusStatus
from tradebot_ops.facts import clock
from tradebot_ops.facts.alerting import alert_channels, alert_delivery, alertmanager
from tradebot_ops.facts.alerting.alert_delivery import Trip
from tradebot_ops.facts.alerting.alertmanager import Attempts
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.metrics import monitoring, prometheus
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Loaded
from tradebot_ops.monitoring.alertmanager import channels_of
from tradebot_ops.monitoring.routes import STORE, receivers
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age

SEVERITIES = ("critical", "warning", "performance", "info")
TESTED_WITHIN = timedelta(days=30)
_FILE = "config/alertmanager/alertmanager.yml"


@check(
    "ALR-04",
    "Every alert has a way to a person",
    asks=(prometheus.status, alertmanager.status, alertmanager.loaded, monitoring.prometheus, monitoring.alertmanager),
    severity=Severity.CRITICAL,
    source="brief: config/alertmanager/alertmanager.yml, alert routing",
    anchor=_FILE,
    remedy="tradebot monitoring status",
)
def routed(
    sender: PrometheusStatus, status: Status, loaded: Loaded, _prometheus: Answer, _alertmanager: Answer
) -> Verdict:
    """Prometheus must know Alertmanager, which must run with its written configuration and lead every severity to a
    receiver with a channel. One that ends nowhere is an alert nobody gets; one that ends in the store is a record.
    """
    ways = {severity: receivers(status.config, {"alertname": "Any", "severity": severity}) for severity in SEVERITIES}
    evidence = "GET /api/v1/alertmanagers, GET /api/v2/status; " + "; ".join(
        f"{severity} -> {', '.join(way)}" for severity, way in ways.items()
    )
    if not sender.alertmanagers:
        return failed("Prometheus knows no Alertmanager to send to.", observed="0 active", expected="at least 1",
                      evidence=evidence, hint="tradebot monitoring restart",
                      anchor="config/prometheus/prometheus.yml")  # fmt: skip
    if not status.config_loaded:
        return failed("Alertmanager refused its last configuration and runs the one before.", observed="reload failed",
                      expected="loaded", evidence=evidence, hint="tradebot alerts lint")  # fmt: skip
    nowhere = [severity for severity, way in ways.items() if not any(way.values())]
    if nowhere:
        return failed(f"Alerts of severity {few(nowhere)} end nowhere.", observed="no channel and no store",
                      expected="a receiver with a channel", evidence=evidence, hint="tradebot alerts lint")  # fmt: skip
    if loaded.places or loaded.edited:
        return warned("What Alertmanager runs with is not what is written.",
                      observed=f"differs: {few(loaded.places)}" if loaded.places else "edited since it was read",
                      expected="as written", evidence=evidence, hint="tradebot monitoring reload")  # fmt: skip
    if not any(kinds for name, kinds in ways["critical"].items() if name != STORE):
        return warned("Critical alerts are stored, and reach nobody: no channel is switched on.",
                      observed="critical -> store", expected="a channel that people read", evidence=evidence,
                      hint="Set ALERT_SLACK_CHANNEL or another of ALERT_* in .env, then: tradebot monitoring reload",
                      anchor=".env")  # fmt: skip
    observed = f"critical -> {', '.join(name for name, kinds in ways['critical'].items() if kinds)}"
    return passed("Every alert has a way to a person.", observed=observed, evidence=evidence)


@check(
    "ALR-05",
    "An alert arrives, and so does its end",
    asks=(alert_delivery.trip, monitoring.alertmanager),
    severity=Severity.CRITICAL,
    source="brief: alert webhook endpoint; notifications tested",
    anchor=_FILE,
    remedy="tradebot alerts test",
)
def arrives(trip: Trip, _answers: Answer) -> Verdict:
    """Raises a synthetic alert in Alertmanager, reads it back from the API's store by its nonce, ends it and sees
    the end: every hop for real. It is of severity info and has a route of its own.
    """
    evidence = "; ".join(f"{hop.name}: {hop.seconds:.1f} s" for hop in trip.hops)
    if trip.broken:
        made = trip.hops[-1].name if trip.hops else "nothing"
        return failed(trip.broken, observed=f"last hop made: {made}", expected="stored within 60 s, and its end",
                      evidence=evidence, hint=trip.hint)  # fmt: skip
    took = sum(hop.seconds for hop in trip.hops)
    return passed("An alert arrives, and so does its end.", observed=f"{took:.1f} s there and back", evidence=evidence)


@check(
    "ALR-06",
    "Every channel takes alerts",
    asks=(alertmanager.status, alertmanager.attempts, alert_channels.tests, clock.now, monitoring.alertmanager,
          monitoring.prometheus),
    source="brief: notifications configured and tested",
    anchor=".env",
    remedy="tradebot alerts test --all",
)  # fmt: skip
def channels(
    status: Status,
    attempts: dict[str, Attempts],
    tests: dict[str, datetime],
    now: datetime,
    _alertmanager: Answer,
    _answers: Answer,
) -> Verdict:
    """A webhook that was revoked fails when it is needed. Looks at Alertmanager's count of failed notifications of
    the last hour, and for a test through each channel within thirty days.
    """
    known = [f"{receiver}/{kind}" for receiver, kinds in channels_of(status.config).items() for kind in kinds]
    if not known:
        return skipped(Skip.PROFILE, "No channel is switched on (settings ALERT_*), so there is none to test.")
    evidence = f"alertmanager_notifications_failed_total, 1 h: {attempts}; tests: {tests}"
    failing = [each for each in known if attempts.get(each.partition("/")[2], Attempts(0, 0)).failed > 0]
    if failing:
        return failed(f"Notifications fail: {few(failing)}.", observed=few(failing), expected="none",
                      evidence=evidence, hint="tradebot logs alertmanager --since 1h --level warning")  # fmt: skip
    old = [each for each in known if each not in tests or now - tests[each] > TESTED_WITHIN]
    if old:
        last = f"{old[0]}: {age(now - tests[old[0]])} ago" if old[0] in tests else f"{old[0]}: never"
        return warned(f"Not tested within 30 days: {few(old)}.", observed=last, expected="within 30 days",
                      evidence=evidence)  # fmt: skip
    return passed("Every channel takes alerts.", observed=f"{len(known)} channels", evidence=evidence)
