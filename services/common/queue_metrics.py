"""Queue lengths and the desired number of workers, asked for at a scrape and kept for a few seconds."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import redis
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.common.database import DatabaseUnavailable
from services.common.heartbeats import desired_workers
from services.common.ledger import Ledger, State
from services.common.metrics import declared
from services.common.transport import DEAD_QUEUE, QUEUE, QUEUES, redis_list

KEEP_S = 5.0


class QueueCollector(Collector):
    """``queue_length`` from the ledger; while Postgres is away, its waiting part from Redis.

    ``tradebot_workers_desired`` keeps its value while Redis is away, and is absent before the first one.
    """

    def __init__(self, ledger: Ledger, client: redis.Redis, *, workers_desired: bool) -> None:
        self._ledger = ledger
        self._client = client
        self._with_desired = workers_desired
        self._desired: int | None = None
        self._lock = threading.Lock()
        self._lengths: dict[str, int] = {}
        self._asked_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > KEEP_S:
                self._lengths = self._ask_lengths()
                self._desired = self._ask_desired() if self._with_desired else None
                self._asked_at = time.monotonic()
        yield _family("queue_length", {(queue,): length for queue, length in self._lengths.items()})
        if self._desired is not None:
            yield _family("tradebot_workers_desired", {(): self._desired})

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: neither Postgres nor Redis need be there."""
        return []

    def _ask_lengths(self) -> dict[str, int]:
        try:
            counts = self._ledger.counts()
        except DatabaseUnavailable:
            return self._ask_redis()
        return {QUEUE: counts[State.QUEUED] + counts[State.RETRYING], DEAD_QUEUE: counts[State.DEAD]}

    def _ask_redis(self) -> dict[str, int]:
        try:
            lengths: list[Any] = [self._client.llen(redis_list(queue)) for queue in QUEUES]
        except redis.RedisError:
            return {}
        return {QUEUE: sum(map(int, lengths))}

    def _ask_desired(self) -> int | None:
        try:
            return desired_workers(self._client)
        except redis.RedisError:
            return self._desired


def _family(name: str, samples: dict[tuple[str, ...], int]) -> GaugeMetricFamily:
    metric = declared(name)
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        family.add_metric(labels, value)
    return family
