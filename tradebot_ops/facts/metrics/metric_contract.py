"""The metric contract: what rules and dashboards ask for, against what is declared and what Prometheus has now."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.monitoring.contract import Contract, check, missing


@dataclass(frozen=True)
class Seen:
    """Gaps of a running Prometheus: series and labels, and sources without a target that is up."""

    absent: tuple[str, ...]
    unseen: tuple[str, ...]


def static(ops: Ops) -> Contract:
    """Metrics that rules and dashboards ask for and nothing declares, and the other way round."""
    return check(config_files.uses(ops), config_files.declared(ops))


def look(ops: Ops) -> Seen:
    """Metrics that are declared and missing in Prometheus now."""
    metrics = config_files.declared(ops)
    up = {target.job for target in ops.prometheus.targets() if target.health == "up"}
    sources = dict.fromkeys(metric.source for metric in metrics)
    absent: list[str] = []
    for source in sources:
        if source in up:
            own = [metric for metric in metrics if metric.source == source]
            names = {name for metric in own for name in metric.series()}
            absent += missing(own, ops.prometheus.emitted(source, names))
    return Seen(tuple(absent), tuple(source for source in sources if source not in up))


@fact()
def declared(ops: Ops) -> Contract:
    return static(ops)


@fact(seconds=20)
def seen(ops: Ops) -> Seen:
    return look(ops)
