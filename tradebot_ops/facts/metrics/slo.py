"""Service level: the share of time in which the API answered, from Prometheus, and how much of it is on record."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.metrics.prometheus import unmeasured

WINDOW_S = 30 * 86_400.0
AVAILABILITY = 'avg(avg_over_time(up{job="api"}[30d]))'
#: Every five minutes is fine enough for days; a stack of the last hour is looked at closer.
SPAN = (
    'time() - min(min_over_time(timestamp(up{job="api"})[30d:5m]) or min_over_time(timestamp(up{job="api"})[1h:15s]))'
)


@dataclass(frozen=True)
class Availability:
    """``share`` of the time in which the API answered (0 to 1), over ``seconds`` that are on record."""

    share: float
    seconds: float

    @property
    def down_s(self) -> float:
        return (1 - self.share) * self.seconds


@fact(seconds=12)
def availability(ops: Ops) -> Availability:
    """Over the last 30 days, or as many as Prometheus keeps."""
    if "prometheus" not in ops.stack.services:
        raise NotApplicable(Skip.PROFILE, "Without the monitoring profile nothing measures availability.")
    found = [ops.prometheus.query(expression) for expression in (AVAILABILITY, SPAN)]
    if not all(found):
        raise unmeasured(ops, "whether the API answers")
    share, span = (series[0].value for series in found)
    return Availability(share, min(span, WINDOW_S))
