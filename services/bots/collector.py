"""Metrics of the bot that trades elsewhere. What is not known of it is absent, and never zero."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.bots.contract import Mode
from services.bots.watcher import Watcher
from services.common.metrics import declared


class BotCollector(Collector):
    """Asks nobody at a scrape: it shows what the watcher read."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def collect(self) -> Iterator[Metric]:
        for name, value in _values(self._watcher).items():
            metric = declared(name)
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            family.add_metric((self._watcher.adapter,), value)
            yield family

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect."""
        return []


def _values(watcher: Watcher) -> dict[str, float]:
    seen = watcher.seen()
    status, book, candle = seen.status.value, seen.book.value, seen.candle.value
    found = {
        "bot_readable": float(status is not None and book is not None),
        "bot_second_instance": float(seen.second_at is not None),
    }
    if status is not None:
        found["bot_live"] = float(status.mode is Mode.LIVE)
        found["bot_opening"] = float(status.opening)
        if status.looped_at is not None and not status.stopped:
            found["bot_last_loop_timestamp_seconds"] = status.looped_at.timestamp()
        if status.clock_offset_s is not None:
            found["bot_clock_offset_seconds"] = status.clock_offset_s
    if book is not None:
        found["bot_open_positions"] = float(len(book.positions))
        found["bot_resting_orders"] = float(len(book.orders))
    if (account := seen.account.value) is not None and account.foreign is not None:
        found["bot_foreign_positions"] = float(len(account.foreign))
    if watcher.others:
        found["bot_others_not_compared"] = float(len(watcher.not_compared()))
    if candle is not None:
        found["bot_last_candle_timestamp_seconds"] = candle.ended_at.timestamp()
        found["bot_candle_seconds"] = candle.seconds
    return found
