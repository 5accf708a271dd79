"""The metric contract, and detectors that their own fault would blind."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.facts.metrics import config_files, metric_contract, monitoring
from tradebot_ops.facts.metrics.metric_contract import Seen
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.monitoring.contract import Contract, Metric
from tradebot_ops.monitoring.detector_table import Table, wrong_rows
from tradebot_ops.monitoring.detectors import blind
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed
from tradebot_ops.text.lists import few


@check(
    "MON-09",
    "Whatever is asked for is emitted",
    asks=(metric_contract.declared, metric_contract.seen, monitoring.prometheus),
    source="brief: Metrics Collected",
    anchor="config/prometheus/service-metrics.yml",
    remedy="tradebot metrics contract",
)
def contract(declared: Contract, seen: Seen, _answers: Answer) -> Verdict:
    """Follows every expression of rules and panels to the metrics and labels that it needs, and looks for what is
    declared in Prometheus. A renamed label kills an alert in silence: it still loads, and never fires again.
    """
    broken = [str(each) for each in declared.broken]
    absent = [*seen.absent, *(f"no target of {source} could be looked at" for source in seen.unseen)]
    evidence = (
        "\n".join([*broken, *absent][:10]) or "rules and dashboards against declared metrics, and those in Prometheus"
    )
    if broken or absent:
        return failed(
            f"{len(broken) + len(absent)} metrics or labels are asked for and missing.",
            observed=few([*broken, *absent], 2),
            expected="none missing",
            evidence=evidence,
        )
    return passed("Whatever is asked for is emitted.", observed="nothing missing", evidence=evidence)


@check(
    "MON-10",
    "No detector is blind to its own fault",
    asks=(config_files.written_rules, config_files.metrics, config_files.detectors),
    severity=Severity.CRITICAL,
    source="Prometheus documentation: absent(); alerts on missing series",
    anchor="config/prometheus/detectors.yml",
    remedy="tradebot alerts lint",
)
def sighted(documents: tuple[Mapping[str, Any], ...], metrics: tuple[Metric, ...], table: Table) -> Verdict:
    """An expression over series that are gone is empty, and an empty one does not fire: the worst outage is the
    quietest. So for the metrics of each critical rule some rule must fire when they are missing, and the table of
    detectors must say which: a row for each critical alert, with the metrics that it asks for, and true twins.
    """
    found = blind(documents, metrics)
    if found:
        return failed(
            f"Critical rules are silent when their metric is gone: {few(dict.fromkeys(each.alert for each in found))}.",
            observed=few(f"{each.metric} of {each.job}" for each in found),
            expected="an absence twin or a count for each",
            evidence="\n".join(map(str, found)),
            anchor="config/prometheus/rules/availability.yml",
            hint="Add absent(up{job=...}), or a count with `or vector(0)`, to a rule; then: tradebot alerts lint",
        )
    wrong = wrong_rows(table, documents, metrics)
    if wrong:
        return failed(
            f"The table of detectors is not that of the rules: {wrong[0]}.",
            observed=f"{len(wrong)} wrong",
            expected="what the rules say",
            evidence="\n".join(wrong),
            hint="Correct config/prometheus/detectors.yml, or the rule; then: tradebot prod-check --only MON-10",
        )
    rows = len(table.signals)
    return passed("No detector is blind to its own fault.", observed=f"{rows} critical alerts, each with a twin")
