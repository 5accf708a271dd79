"""Labels as Prometheus writes them, and durations as people type them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
from tradebot_ops.clients.prometheus import Series
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.monitoring.query import labels, query, seconds


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("15m", 900), ("1.5h", 5400), ("2d", 172800)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "0s", "5 minutes", "1e3s", "99999999w", "9" * 400 + "d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(OpsError) as caught:
        seconds(text)
    assert caught.value.code == "TB-0219"


def test_labels_as_prometheus_writes_them() -> None:
    assert labels(Series({"__name__": "up", "job": "api"}, ())) == 'up{job="api"}'
    assert labels(Series({}, ())) == ""


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Prometheus:
    def __init__(self, *found: Series) -> None:
        self.found, self.asked = found, list[tuple[Any, ...]]()

    def query(self, *words: Any) -> Sequence[Series]:
        self.asked.append(words)
        return self.found

    def query_range(self, *words: Any) -> Sequence[Series]:
        self.asked.append(words)
        return self.found


def asked(prometheus: Prometheus, range_: str | None = None, step: str | None = None, *, drawn: bool = False) -> Report:
    ops: Any = SimpleNamespace(prometheus=prometheus, clock=lambda: NOON)
    return query(ops, "up", range_, step, drawn=drawn)


def several(number: int) -> list[Series]:
    points = tuple((1_790_000_000.0 + 60 * at, float(at)) for at in range(4))
    return [Series({"__name__": "up", "job": f"j{each}"}, points) for each in range(number)]


def test_screens(snapshot: SnapshotAssertion) -> None:
    odd = Series({}, ((1.0, math.nan), (2.0, 3.5), (3.0, math.inf), (4.0, 1.25)))
    none = Series({"job": "x"}, ((1.0, math.nan),))
    seen = [asked(Prometheus(*several(2), odd)), asked(Prometheus()), asked(Prometheus(*several(2), odd, none), "1h")]
    seen += [asked(Prometheus(), "1h"), asked(Prometheus(*several(1), Series({}, several(1)[0].points)), drawn=True)]
    assert "\n\n".join(map(whole, seen)) == snapshot


def test_only_so_many_are_shown() -> None:
    for range_ in (None, "1h"):
        section = asked(Prometheus(*several(50)), range_).sections[0]
        assert (len(section.tables[0].rows), section.lines) == (50, ())
        section = asked(Prometheus(*several(51)), range_).sections[0]
        assert len(section.tables[0].rows) == 50
        assert section.lines == ("51 series; the first 50 are shown.",)
    section = asked(Prometheus(*several(9)), drawn=True).sections[0]
    assert [line for line in section.lines if line.startswith("up{")] == [f'up{{job="j{each}"}}' for each in range(8)]


@pytest.mark.parametrize(
    ("range_", "step", "drawn", "window", "every"),
    [
        ("1h", None, False, 3600, 60),
        (None, None, True, 3600, 60),
        ("30s", None, False, 30, 1),
        ("1d", "5m", False, 86400, 300),
        ("11000s", "1s", False, 11000, 1),
    ],
)
def test_what_prometheus_is_asked_for(
    range_: str | None, step: str | None, drawn: bool, window: float, every: float
) -> None:
    prometheus = Prometheus(*several(1))
    asked(prometheus, range_, step, drawn=drawn)
    assert prometheus.asked == [("up", NOON - timedelta(seconds=window), NOON, every)]
    asked(prometheus)
    assert prometheus.asked[1:] == [("up",)]


def test_refusals() -> None:
    seen = []
    for act in (
        lambda: asked(Prometheus(), "11001s", "1s"),
        lambda: seconds("soon"),
        lambda: seconds("11y"),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    assert seen == [
        ("TB-0220", "11001 points a series are more than Prometheus gives.", "Ask for fewer: --step 12s"),
        ("TB-0219", "'soon' is not a duration.", "Write numbers with y, w, d, h, m or s: 15m"),
        ("TB-0219", "'11y' is longer than ten years.", "Write less: 15m, 2h, 7d"),
    ]
    assert (seconds(" 10y "), seconds("1m")) == (10 * 365 * 86400, 60)
