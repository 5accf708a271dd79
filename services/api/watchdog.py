"""When Watchdog was last heard, asked for at a scrape and kept for a few seconds.

The alert that always fires proves the way from Prometheus to the store by arriving. Whoever watches this from outside
need not ask the database.
"""

import threading
import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.alerts.store import AlertStore
from services.common.database import DatabaseUnavailable
from services.common.metrics import declared

NAME = "Watchdog"
KEEP_S = 5.0


class WatchdogCollector(Collector):
    """``watchdog_last_received_timestamp_seconds``: absent until it was heard; kept while Postgres is away."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._heard: float | None = None
        self._asked_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > KEEP_S:
                self._heard = self._ask()
                self._asked_at = time.monotonic()
        if self._heard is not None:
            metric = declared("watchdog_last_received_timestamp_seconds")
            yield GaugeMetricFamily(metric.name, metric.help, value=self._heard)

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Postgres need not be there."""
        return []

    def _ask(self) -> float | None:
        try:
            heard = self._store.last_received(NAME)
        except DatabaseUnavailable:
            return self._heard
        return heard.timestamp() if heard else None
