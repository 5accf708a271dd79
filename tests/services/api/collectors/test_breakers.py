"""Metrics of breakers: asked for at most every few seconds, and absent while Redis is away."""

from types import SimpleNamespace
from typing import Any

import pytest
import redis

from services.api.collectors import kept
from services.api.collectors.breakers import BreakerCollector


class Known:
    """Breakers by name: whether they are open, and how often they tripped."""

    def __init__(self, **breakers: tuple[bool, int]) -> None:
        self.breakers = breakers
        self.away = False
        self.asked = 0

    def all(self) -> list[Any]:
        self.asked += 1
        if self.away:
            raise redis.ConnectionError("away")
        return [SimpleNamespace(name=name, open=open_, trips=trips) for name, (open_, trips) in self.breakers.items()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def shown(collector: BreakerCollector) -> set[tuple[str, str, float]]:
    samples = [sample for metric in collector.collect() for sample in metric.samples]
    return {(sample.name, "".join(sample.labels.values()), sample.value) for sample in samples}


def collector(known: Known) -> BreakerCollector:
    all_: Any = known
    return BreakerCollector(all_)


def test_each_is_shown_open_or_not_with_its_trips(clock: SimpleNamespace) -> None:
    asking = collector(Known(binance=(True, 3), kraken=(False, 0)))
    assert asking.describe() == []
    assert shown(asking) == {
        ("circuit_breaker_open", "binance", 1),
        ("circuit_breaker_open", "kraken", 0),
        ("circuit_breaker_trips_total", "binance", 3),
        ("circuit_breaker_trips_total", "kraken", 0),
    }


def test_redis_is_asked_at_most_every_few_seconds(clock: SimpleNamespace) -> None:
    known = Known(binance=(True, 3))
    asking = collector(known)
    before = shown(asking)
    known.breakers = {"binance": (False, 3)}
    clock.now += kept.KEEP_S
    assert (shown(asking), known.asked) == (before, 1)
    clock.now += 0.1
    assert ("circuit_breaker_open", "binance", 0) in shown(asking)


def test_none_is_shown_while_redis_is_away(clock: SimpleNamespace) -> None:
    known = Known(binance=(True, 3))
    asking = collector(known)
    shown(asking)
    known.away = True
    clock.now += kept.KEEP_S + 1
    assert shown(asking) == set()
