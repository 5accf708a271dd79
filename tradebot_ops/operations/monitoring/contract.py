"""The metric contract: what rules and dashboards ask for, against what is declared and what is there."""

from tradebot_ops.context import Ops
from tradebot_ops.facts.metrics.metric_contract import Seen, look, static
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.monitoring.contract import Contract

#: They emit more than we ask for; that is no news.
EXPORTERS = frozenset({"redis", "postgres", "node", "prometheus", "alertmanager", "grafana"})


def contract(ops: Ops, *, live: bool) -> Report:
    """Metrics that are asked for and emitted by nothing; with ``live`` also those declared and missing in Prometheus.

    A source that Prometheus does not reach fails too: what it emits is unknown.
    """
    result = static(ops)
    findings = [
        Finding(Level.FAIL, "contract.broken", f"{broken}.", hint="tradebot metrics list") for broken in result.broken
    ]
    seen = look(ops) if live else Seen((), ())
    findings += [
        Finding(
            Level.FAIL,
            "contract.unseen",
            f"Prometheus reaches no target of {source}, so what it emits could not be looked at.",
            hint="tradebot monitoring targets",
        )
        for source in seen.unseen
    ]
    findings += [
        Finding(Level.FAIL, "contract.absent", f"{what}.", hint="tradebot monitoring targets") for what in seen.absent
    ]
    return _contract_report(result, seen, tuple(findings), live=live)


def _contract_report(result: Contract, seen: Seen, findings: tuple[Finding, ...], *, live: bool) -> Report:
    looked = "rules, dashboards and what Prometheus has now" if live else "rules and dashboards"
    verdict = "Everything asked for is emitted." if not findings else f"{len(findings)} do not fit."
    lines = [f"Compared the declared metrics with {looked}. {verdict}"]
    unused = sorted({metric.name for metric in result.unused if metric.source not in EXPORTERS})
    if unused:
        lines.append(f"Nobody looks at: {', '.join(unused)}.")
    data = {
        "broken": [{"where": b.where, "metric": b.metric, "label": b.label} for b in result.broken],
        "absent": list(seen.absent),
        "unseen": list(seen.unseen),
        "unused": unused,
    }
    return Report(data=data, findings=findings, sections=(Section(lines=tuple(lines)),))
