"""Moments of backups as `tradebot backup` notes them in the database."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.collectors.kept import Kept
from services.common.database import Database, DatabaseUnavailable
from services.common.metrics import declared

NOTES = "SELECT what, extract(epoch FROM at)::float8 AS at FROM backup_note"


class BackupCollector(Collector):
    """Moments of the newest backup, of the last restore that was proved and of the last that failed, 0 where there was
    none, and a failed clearing.

    All are absent until Postgres answers once, and kept while it is away. Their label is the environment: a laptop
    whose data nobody would miss needs no backup.
    """

    def __init__(self, database: Database, environment: str) -> None:
        self._environment = environment
        self._noted: Kept[Mapping[str, float]] = Kept(
            lambda: {row["what"]: row["at"] for row in database.rows(NOTES)}, DatabaseUnavailable
        )

    def collect(self) -> Iterator[Metric]:
        if (noted := self._noted.get()) is not None:
            yield self._gauge("backup_last_taken_timestamp_seconds", noted.get("taken", 0.0))
            yield self._gauge("backup_last_proved_timestamp_seconds", noted.get("proved", 0.0))
            yield self._gauge("backup_last_refuted_timestamp_seconds", noted.get("refuted", 0.0))
            yield self._gauge("backup_clearing_failed", float("clearing_failed" in noted))

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect: Postgres need not be there."""
        return []

    def _gauge(self, name: str, value: float) -> Metric:
        metric = declared(name)
        family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        family.add_metric((self._environment,), value)
        return family
