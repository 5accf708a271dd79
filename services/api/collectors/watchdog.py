"""When Watchdog was last heard.

The alert that always fires proves the way from Prometheus to the store by arriving. Whoever watches this from outside
need not ask the database.
"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.alerts.store import AlertStore
from services.api.collectors.kept import Kept
from services.common.database import DatabaseUnavailable
from services.common.metrics import declared

NAME = "Watchdog"


class WatchdogCollector(Collector):
    """``watchdog_last_received_timestamp_seconds``: absent until it was heard; kept while Postgres is away."""

    def __init__(self, store: AlertStore) -> None:
        self._heard = Kept(lambda: store.last_received(NAME), DatabaseUnavailable)

    def collect(self) -> Iterator[Metric]:
        if (heard := self._heard.get()) is not None:
            metric = declared("watchdog_last_received_timestamp_seconds")
            yield GaugeMetricFamily(metric.name, metric.help, value=heard.timestamp())

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Postgres need not be there."""
        return []
