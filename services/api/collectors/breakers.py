"""States of the circuit breakers."""

from collections.abc import Iterator, Sequence

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.collectors.kept import Kept
from services.common.breaker import Breaker, Breakers
from services.common.metrics import declared


class BreakerCollector(Collector):
    """``circuit_breaker_open`` and ``circuit_breaker_trips_total``: absent while Redis is away."""

    def __init__(self, breakers: Breakers) -> None:
        # A breaker that was open may be closed by now: what is not known is not shown.
        self._known: Kept[Sequence[Breaker]] = Kept(breakers.all, redis.RedisError, forget=True)

    def collect(self) -> Iterator[Metric]:
        if not (known := self._known.get()):
            return
        metric = declared("circuit_breaker_open")
        gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        metric = declared("circuit_breaker_trips_total")
        counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        for each in known:
            gauge.add_metric((each.name,), int(each.open))
            counter.add_metric((each.name,), each.trips)
        yield gauge
        yield counter

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Redis need not be there."""
        return []
