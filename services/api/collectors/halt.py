"""Since when the stack is halted."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.collectors.kept import Kept
from services.common.database import DatabaseUnavailable
from services.common.ledger import Halts
from services.common.metrics import declared

NAME = "stack_halted_timestamp_seconds"


class HaltCollector(Collector):
    """Absent until Postgres answers once, and kept while it is away."""

    def __init__(self, halts: Halts) -> None:
        self._halts = halts
        self._since = Kept(self._ask, DatabaseUnavailable)

    def collect(self) -> Iterator[Metric]:
        if (since := self._since.get()) is not None:
            yield GaugeMetricFamily(NAME, declared(NAME).help, value=since)

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Postgres need not be there."""
        return []

    def _ask(self) -> float:
        latest = self._halts.latest()
        return latest.at.timestamp() if latest and latest.in_force else 0.0
