"""How new the series are that schedules download."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.collectors.kept import Kept
from services.common.data.freshness import Freshness
from services.common.database import DatabaseUnavailable
from services.common.metrics import declared


class CandleCollector(Collector):
    """``candles_newest_…`` and ``candles_expected_timestamp_seconds``: kept while Postgres is away."""

    def __init__(self, freshness: Freshness) -> None:
        self._series = Kept(freshness.all, DatabaseUnavailable)

    def collect(self) -> Iterator[Metric]:
        found = self._series.get() or []
        for name, values in (
            ("candles_newest_timestamp_seconds", [each.newest for each in found]),
            ("candles_expected_timestamp_seconds", [each.expected for each in found]),
        ):
            metric = declared(name)
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for each, value in zip(found, values, strict=True):
                family.add_metric((each.symbol, each.interval), value)
            yield family

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Postgres need not be there."""
        return []
