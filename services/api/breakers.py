"""States of the circuit breakers, asked for at a scrape and kept for a few seconds."""

import threading
import time
from collections.abc import Iterator, Sequence

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.common.breaker import Breaker, Breakers
from services.common.metrics import declared

KEEP_S = 5.0


class BreakerCollector(Collector):
    """``circuit_breaker_open`` and ``circuit_breaker_trips_total``: absent while Redis is away."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers
        self._lock = threading.Lock()
        self._known: Sequence[Breaker] = ()
        self._asked_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > KEEP_S:
                self._known = self._ask()
                self._asked_at = time.monotonic()
        if not self._known:
            return
        metric = declared("circuit_breaker_open")
        gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        metric = declared("circuit_breaker_trips_total")
        counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        for each in self._known:
            gauge.add_metric((each.name,), int(each.open))
            counter.add_metric((each.name,), each.trips)
        yield gauge
        yield counter

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Redis need not be there."""
        return []

    def _ask(self) -> Sequence[Breaker]:
        try:
            return self._breakers.all()
        except redis.RedisError:
            return ()
