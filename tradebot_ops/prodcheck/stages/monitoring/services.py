"""The monitoring services themselves: that each answers."""

from tradebot_ops.facts.metrics import monitoring
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.monitoring.chain import ALERTING
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few


@check(
    "MON-01",
    "Every monitoring service is ready",
    asks=(monitoring.services,),
    severity=Severity.CRITICAL,
    source="brief: Monitoring Stack (6 Services); monitoring stack started",
    anchor="compose.yaml#prometheus",
    remedy="tradebot monitoring start",
    fix="tradebot monitoring start",
)
def ready(answers: tuple[Answer, ...]) -> Verdict:
    """Asks Prometheus and Alertmanager whether they are ready, Grafana for its health and each exporter for its
    metrics. While one of them is away, nobody sees what it watches.
    """
    silent = [answer for answer in answers if not answer.ok and not answer.absent]
    absent = [answer for answer in answers if answer.absent]
    evidence = "\n".join(f"{answer.service}: {answer.detail}" for answer in answers)
    observed = f"{sum(answer.ok for answer in answers)} of {len(answers)} ready"
    if silent:
        names = few(answer.service for answer in silent)
        blind = [f"Alerts are blind: {ALERTING[name]}." for answer in silent if (name := answer.service) in ALERTING]
        return failed(
            " ".join([f"Not ready: {names}.", *blind]),
            observed=f"{silent[0].service}: {silent[0].detail}",
            expected="all ready",
            evidence=evidence,
            hint=f"tradebot monitoring start; tradebot logs {silent[0].service} --tail 50",
            anchor=f"compose.yaml#{silent[0].service}",
        )
    if absent:
        return warned(
            f"Cannot run on this host: {few(answer.service for answer in absent)}.",
            observed=observed,
            expected="all ready",
            evidence=evidence,
            hint=absent[0].hint,
        )
    return passed("Every monitoring service is ready.", observed=observed, evidence=evidence)
