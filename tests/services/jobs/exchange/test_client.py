"""What each fault of an exchange becomes: asked again, refused for a time, or the end of the job."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from services.common.jobtypes import JobFailure
from services.jobs.exchange import client
from services.jobs.exchange.client import Exchange
from services.jobs.exchange.patience import LimitedError, UnwellError
from tests.services.jobs.exchange import fake
from tests.services.jobs.exchange.fake import COST, START, FakeExchange, Hands, served

SINCE_MS = int(START.timestamp() * 1000)
UNWELL = {
    "500": fake.status(500),
    "502 of a proxy": fake.html(502),
    "an error page that says it is well": fake.html(200),
    "truncated JSON": fake.truncated,
    "a body cut off": fake.cut,
    "a dropped socket": fake.dropped,
    "slowness": fake.slow,
}


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeExchange]:
    pytest.importorskip("ccxt")
    # Long enough for a busy host, and short enough for the answer that never comes.
    monkeypatch.setattr(client, "TIMEOUT_MS", 3000)
    with served(monkeypatch) as found:
        yield found


@pytest.fixture
def costs() -> list[float]:
    return []


@pytest.fixture
def ours(exchange: FakeExchange, costs: list[float]) -> Exchange:
    return Exchange("binance", costs.append, Hands().clock())


def test_a_page_comes_as_the_exchange_gives_it_and_each_request_is_paid(
    ours: Exchange, exchange: FakeExchange, costs: list[float]
) -> None:
    ours.check("BTC/USDT", "1h")
    before = len(costs)
    rows = ours.page("BTC/USDT", "1h", SINCE_MS)
    assert len(rows) == 100
    assert list(rows[0]) == [SINCE_MS, 100.0, 102.0, 99.0, 101.0, 12.5]
    assert (before, costs[before:]) == (1, [COST])
    assert exchange.asked == [{"symbol": "BTCUSDT", "interval": "1h", "limit": "1000", "startTime": str(SINCE_MS)}]
    assert ours.points_per_minute == 0.8 * 1200


@pytest.mark.parametrize("name", UNWELL)
def test_what_may_be_well_next_time_is_asked_again(ours: Exchange, exchange: FakeExchange, name: str) -> None:
    exchange.faults = [UNWELL[name]]
    with pytest.raises(UnwellError):
        ours.page("BTC/USDT", "1h", SINCE_MS)
    assert len(ours.page("BTC/USDT", "1h", SINCE_MS)) == 100


@pytest.mark.parametrize("code", [418, 429])
@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "137"}, 137.0),
        (fake.dated(90, Hands().clock().now()), 90.0),
        ({}, client.REFUSED_S),
        ({"Retry-After": "soon"}, client.REFUSED_S),
    ],
)
def test_who_is_refused_knows_for_how_long(
    ours: Exchange, exchange: FakeExchange, code: int, headers: dict[str, str], wait_s: float
) -> None:
    exchange.faults = [fake.status(code, headers)]
    with pytest.raises(LimitedError) as caught:
        ours.page("BTC/USDT", "1h", SINCE_MS)
    assert caught.value.retry_after_s == wait_s


def test_an_exchange_under_maintenance_is_left_alone_for_as_long_as_it_says(
    ours: Exchange, exchange: FakeExchange
) -> None:
    exchange.faults = [fake.status(503, {"Retry-After": "600"}), fake.dropped, fake.status(503, {})]
    with pytest.raises(LimitedError) as caught:
        ours.page("BTC/USDT", "1h", SINCE_MS)
    assert caught.value.retry_after_s == 600
    while exchange.faults:
        with pytest.raises(UnwellError):
            ours.page("BTC/USDT", "1h", SINCE_MS)


def test_rows_keep_their_order_and_their_doubles(ours: Exchange, exchange: FakeExchange) -> None:
    exchange.faults = [fake.changed(lambda bars: [bars[2], bars[0], bars[0]])]
    rows = ours.page("BTC/USDT", "1h", SINCE_MS)
    assert [(row[0] or 0) - SINCE_MS for row in rows] == [2 * fake.HOUR_MS, 0, 0]


@pytest.mark.parametrize(
    ("symbol", "interval", "says"),
    [("BTC/USD", "1h", "Did you mean BTC/USDT"), ("XYZ", "1h", "is written BTC/USDT"), ("BTC/USDT", "7h", "It has 1s")],
)
def test_what_the_exchange_does_not_have_is_the_end(ours: Exchange, symbol: str, interval: Any, says: str) -> None:
    with pytest.raises(JobFailure, match=says):
        ours.check(symbol, interval)


def test_an_exchange_that_nobody_knows_is_the_end(exchange: FakeExchange) -> None:
    with pytest.raises(JobFailure, match="There is no exchange binanc. Did you mean binance"):
        Exchange("binanc", list[float]().append, Hands().clock())


def test_without_ccxt_the_hint_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(JobFailure, match="This worker has no ccxt") as caught:
        Exchange("binance", list[float]().append, Hands().clock())
    assert "pip install" in caught.value.hint
