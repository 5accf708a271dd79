"""The dashboards' queries, asked of Prometheus as Grafana would."""

import math
from dataclasses import dataclass
from datetime import timedelta

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.monitoring.contract import dashboard_uses, late
from tradebot_ops.monitoring.promql import read, with_minutes

WINDOW = timedelta(minutes=15)
STEP = 60.0


@dataclass(frozen=True)
class Asked:
    """One query and what came of it within 15 minutes: how many series, and in how many is a number.

    ``metrics`` are those it names, ``error`` is Prometheus' answer where it refused.
    """

    where: str
    expression: str
    metrics: frozenset[str]
    series: int = 0
    filled: int = 0
    error: str = ""


@dataclass(frozen=True)
class Panels:
    """``known`` are metrics that something declares or records, ``present`` those seen within 15 minutes, ``late``
    those that may be absent: of a bot, where none is watched."""

    asked: tuple[Asked, ...]
    known: frozenset[str]
    present: frozenset[str]
    late: frozenset[str] = frozenset()


@fact(seconds=45)
def panels(ops: Ops) -> Panels:
    uses = [use for file in config_files.dashboards(ops) for use in dashboard_uses(config_files.document(file))]
    asked = tuple(_ask(ops, use.where, use.expression) for use in uses)
    declared = config_files.declared(ops)
    known = {name for metric in declared for name in metric.series()}
    known |= {use.records for use in config_files.uses(ops) if use.records}
    names = sorted({name for each in asked for name in each.metrics})
    return Panels(asked, frozenset(known), _present(ops, names), late(declared))


def _ask(ops: Ops, where: str, expression: str) -> Asked:
    try:
        metrics = frozenset(read(expression, lambda _name: None).used)
    except OpsError as error:
        return Asked(where, expression, frozenset(), error=error.message)
    now = ops.clock()
    try:
        found = ops.prometheus.query_range(with_minutes(expression), now - WINDOW, now, STEP)
    except Refused as error:
        return Asked(where, expression, metrics, error=error.message)
    filled = sum(any(math.isfinite(value) for _, value in series.points) for series in found)
    return Asked(where, expression, metrics, len(found), filled)


def _present(ops: Ops, names: list[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    pattern = "|".join(names)
    found = ops.prometheus.query(f'count by (__name__) (last_over_time({{__name__=~"{pattern}"}}[15m]))')
    return frozenset(series.labels["__name__"] for series in found)
