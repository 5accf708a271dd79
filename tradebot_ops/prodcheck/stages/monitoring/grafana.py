"""Grafana: that people get in, and see what they should."""

from tradebot_ops.facts.metrics import grafana
from tradebot_ops.facts.metrics.grafana import Shown
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed
from tradebot_ops.text.lists import few

#: The panels that the brief names, in its order.
PANELS = (
    "Active Workers", "Pending Jobs", "Dead Letter Queue", "Jobs/Hour", "Queue Lengths", "Job Processing Rate",
    "Job Duration Percentiles", "API Latency p95", "System CPU Usage", "System Memory Usage", "Redis Connections",
    "Redis Memory Usage",
)  # fmt: skip


@check(
    "MON-07",
    "Grafana shows the dashboard",
    asks=(grafana.shown,),
    severity=Severity.CRITICAL,
    source="brief: Grafana dashboard loads; 12 panels",
    anchor="config/grafana/provisioning/dashboards/tradebot.yml",
    remedy="tradebot logs grafana --tail 50",
)
def shows(shown: Shown) -> Verdict:
    """Logs in as the stack's admin, has Grafana ask its data source, and reads the provisioned dashboard: people
    who open it in an outage must find its twelve panels.
    """
    evidence = f"Grafana {shown.version}: /api/datasources/uid/{grafana.DATASOURCE}/health, /api/dashboards/uid/…"
    if shown.refused:
        return failed("Grafana refuses the stack's login.", observed=shown.refused, expected="logged in",
                      evidence=evidence, hint="tradebot restart grafana", anchor="compose.yaml#grafana")  # fmt: skip
    if shown.fault:
        return failed("Grafana does not get to Prometheus.", observed=shown.fault, expected="data source OK",
                      evidence=evidence, anchor="config/grafana/provisioning/datasources/prometheus.yml")  # fmt: skip
    missing = [uid for uid, titles in shown.dashboards.items() if titles is None]
    if missing or not shown.dashboards:
        message = "A dashboard is not provisioned." if missing else "There is no dashboard."
        return failed(
            message, observed=f"missing: {few(missing)}", expected="every file a dashboard", evidence=evidence
        )
    titles = {title for found in shown.dashboards.values() for title in found or ()}
    lacking = [title for title in PANELS if title not in titles]
    observed = f"{len(PANELS) - len(lacking)} of {len(PANELS)} panels"
    if lacking:
        message = f"Panels are missing: {few(lacking)}."
        return failed(message, observed=observed, expected=f"{len(PANELS)} panels", evidence=evidence,
                      anchor="config/grafana/dashboards/trading-bot-dashboard.json")  # fmt: skip
    return passed("Grafana shows the dashboard.", observed=observed, evidence=evidence)
