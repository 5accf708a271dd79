"""How much of their time and memory workers use, as Prometheus has it."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.metrics import prometheus

BUSY = 'avg(avg_over_time(worker_busy{job="worker"}[15m]))'
ALL_BUSY = 'sum(avg_over_time(worker_busy{job="worker"}[15m]))'
COUNT = 'count(worker_busy{job="worker"})'
ON_RECORD = 'max(time() - min_over_time(timestamp(worker_busy{job="worker"})[15m:15s]))'
NOW = 'worker_memory_bytes{job="worker"}'
SLOPE = f"deriv({NOW}[6h])"
SPAN = f"time() - min_over_time(timestamp({NOW})[6h:1m])"


@dataclass(frozen=True)
class Utilisation:
    """The share of 15 minutes in which the average worker was busy (0 to 1), and over how many ``seconds`` that is
    on record; ``busy`` is how many workers' worth of work there was, of ``workers``."""

    share: float
    busy: float
    workers: int
    seconds: float


@dataclass(frozen=True)
class Growth:
    """Memory of one worker now, how it grows, and over how many ``seconds`` that was seen. Bytes, bytes a second."""

    instance: str
    memory: float
    slope: float
    seconds: float


@fact(seconds=15)
def utilisation(ops: Ops) -> Utilisation:
    share, busy, count, seconds = (_one(ops, each) for each in (BUSY, ALL_BUSY, COUNT, ON_RECORD))
    return Utilisation(share, busy, int(count), min(seconds, 900.0))


@fact(seconds=15)
def growth(ops: Ops) -> tuple[Growth, ...]:
    """Of each worker over the last 6 hours, or as long as there is a record."""
    _measured(ops)
    now, slope, span = (_by_instance(ops, each) for each in (NOW, SLOPE, SPAN))
    return tuple(Growth(name, value, slope.get(name, 0.0), span.get(name, 0.0)) for name, value in sorted(now.items()))


def _by_instance(ops: Ops, expression: str) -> dict[str, float]:
    return {series.labels["instance"]: series.value for series in ops.prometheus.query(expression)}


def _one(ops: Ops, expression: str) -> float:
    _measured(ops)
    found = prometheus.one(ops, expression)
    if found is None:
        raise prometheus.unmeasured(ops, "a worker")
    return found


def _measured(ops: Ops) -> None:
    if "prometheus" not in ops.stack.services:
        raise NotApplicable(Skip.PROFILE, "Without the monitoring profile nothing records what workers use.")
