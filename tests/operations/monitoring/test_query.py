"""Labels as Prometheus writes them, and durations as people type them."""

import pytest

from tradebot_ops.clients.prometheus import Series
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.monitoring.query import labels, seconds


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
