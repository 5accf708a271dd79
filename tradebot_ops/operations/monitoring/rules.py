"""Rules that Prometheus evaluates: recording and alerting rules."""

from tradebot_ops.clients.prometheus import Rule
from tradebot_ops.context import Ops
from tradebot_ops.model import Finding, Level, Report, Section, Table


def rules(ops: Ops) -> Report:
    """Every rule, and whether it evaluates."""
    found = ops.prometheus.rules()
    rows = tuple(
        (rule.name, rule.kind, rule.labels.get("severity", ""), _for(rule), rule.state, rule.health, rule.group)
        for rule in found
    )
    findings = tuple(
        Finding(Level.FAIL, "rule.error", f"{rule.name} cannot be evaluated: {rule.last_error}.", hint=rule.file)
        for rule in found
        if rule.health == "err"
    )
    data = [
        {
            "name": rule.name,
            "kind": rule.kind,
            "group": rule.group,
            "labels": dict(rule.labels),
            "for_seconds": rule.for_seconds,
            "state": rule.state,
            "health": rule.health,
            "error": rule.last_error,
            "query": rule.query,
        }
        for rule in found
    ]
    table = Table(("rule", "kind", "severity", "for", "state", "health", "group"), rows)
    return Report(data=data, findings=findings, sections=(Section(tables=(table,)),))


def _for(rule: Rule) -> str:
    return f"{rule.for_seconds:.0f} s" if rule.kind == "alerting" else ""
