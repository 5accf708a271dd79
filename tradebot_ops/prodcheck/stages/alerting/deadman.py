"""The alert that always fires: its silence is the alarm."""

from datetime import datetime

from tradebot_ops.clients.alertmanager import Status
from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.clients.prometheus import Status as PrometheusStatus
from tradebot_ops.facts import clock
from tradebot_ops.facts.alerting import alert_store, alertmanager
from tradebot_ops.facts.alerting.alert_store import WATCHDOG_LIMIT
from tradebot_ops.facts.alerting.alertmanager import Attempts
from tradebot_ops.facts.metrics import monitoring, prometheus
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.project import stack
from tradebot_ops.model import Level
from tradebot_ops.monitoring.routes import STORE, receivers
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.quantities import age

_LABELS = {"alertname": "Watchdog", "severity": "none"}
_FILE = "config/alertmanager/alertmanager.yml"


@check(
    "ALR-07",
    "The dead man's switch beats",
    asks=(prometheus.alerts, prometheus.status, alertmanager.status, alert_store.watchdog_heard, stack.environment,
          clock.now,
          monitoring.prometheus, monitoring.alertmanager),
    severity=Severity.CRITICAL,
    source="Prometheus operator: Watchdog; brief: automated alerting",
    anchor=_FILE,
    remedy="tradebot alerts test",
)  # fmt: skip
def beats(
    alerts: tuple[PendingOrFiring, ...],
    sender: PrometheusStatus,
    status: Status,
    heard: datetime | None,
    env: str,
    now: datetime,
    _prometheus: Answer,
    _alertmanager: Answer,
) -> Verdict:
    """Watchdog always fires and is stored every minute at the latest. If it is not, no other alert would arrive, and
    nothing else would say so.
    """
    evidence = f"GET /api/v1/alerts, GET /alerts?name=Watchdog: last {heard}"
    if not any(alert.name == "Watchdog" and alert.state == "firing" for alert in alerts):
        return failed("Watchdog does not fire in Prometheus.", observed="not firing", expected="always firing",
                      evidence=evidence, hint="tradebot monitoring rules",
                      anchor="config/prometheus/rules/monitoring.yml")  # fmt: skip
    if not any(receivers(status.config, _LABELS).values()):
        judge = failed if env == "prod" else warned
        return judge("Nobody receives Watchdog.", observed="no receiver", expected="a receiver", evidence=evidence,
                     hint="tradebot alerts lint")  # fmt: skip
    since = max(sender.started, status.started)
    observed = "never arrived" if heard is None else f"arrived {age(now - heard)} ago"
    if now - max(heard or since, since) > WATCHDOG_LIMIT:
        return failed("Watchdog is configured and does not arrive, so other alerts would not either.",
                      observed=observed, expected="within 3 min", evidence=evidence)  # fmt: skip
    if heard is None:
        return warned("Watchdog has not arrived yet: the alerting was started a moment ago.", observed=observed,
                      expected="within 3 min", evidence=evidence)  # fmt: skip
    return passed("The dead man's switch beats.", observed=observed, evidence=evidence)


@check(
    "ALR-10",
    "Watchdog is heard outside",
    asks=(alertmanager.status, alertmanager.attempts, monitoring.alertmanager, monitoring.prometheus),
    source="Google SRE workbook: monitor the monitoring from outside",
    anchor=_FILE,
    remedy="tradebot monitoring reload",
    at_most={"dev": Level.WARN, "staging": Level.WARN},
)
def outside(status: Status, attempts: dict[str, Attempts], _alertmanager: Answer, _prometheus: Answer) -> Verdict:
    """When the host dies, Prometheus, Alertmanager and the store die with it, and nobody is notified. One receiver of
    Watchdog must stand elsewhere and raise the alarm when the beats stop.
    """
    kinds = {kind for name, found in receivers(status.config, _LABELS).items() if name != STORE for kind in found}
    evidence = f"routes of Watchdog: {receivers(status.config, _LABELS)}; notifications within 1 h: {attempts}"
    if not kinds:
        return failed("No receiver outside this host hears Watchdog.", observed="only the store",
                      expected="a receiver elsewhere", evidence=evidence,
                      hint=f"Add a receiver elsewhere to the route of Watchdog in {_FILE}, then: "
                      "tradebot monitoring reload")  # fmt: skip
    silent = sorted(k for k in kinds if (tried := attempts.get(k)) is None or tried.failed > 0 or tried.sent == 0)
    if silent:
        return failed("The outside receiver of Watchdog had no beat within the last hour.", observed=", ".join(silent),
                      expected="a beat a minute", evidence=evidence,
                      hint="tradebot logs alertmanager --since 1h --level warning")  # fmt: skip
    return passed("Watchdog is heard outside.", observed=", ".join(sorted(kinds)), evidence=evidence)
