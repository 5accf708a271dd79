"""Downloads from an exchange that fails in every way, into a real Postgres, with breakers on a real Redis."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from services.common.breaker import Breakers
from services.common.jobtypes import BREAKER_POLICY, BreakerOpen, JobFailure, PayloadInvalid
from services.common.redis_client import redis_client
from services.common.settings import Settings
from services.jobs import download_candles
from services.jobs.exchange import client
from services.jobs.exchange.budget import Budget
from services.jobs.exchange.patience import NoBarsError, UnwellError
from services.jobs.market import store
from tests.services.jobs.exchange import fake
from tests.services.jobs.exchange.fake import HOUR_MS, START, FakeExchange, Hands, bar

pytestmark = pytest.mark.integration

SERIES = "BINANCE:BTC/USDT"
BREAKER = "exchange-binance"


class Context:
    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        self.store = connection
        self.redis = redis_client(settings)
        self.breakers = Breakers(self.redis)
        self.notes = list[str]()

    def progress(self, fraction: float, note: str = "") -> None:
        assert 0 <= fraction <= 1
        self.notes.append(note)

    def check_cancelled(self) -> None:
        pass

    def breaker(self, name: str, failures: Any, policy: Any = None) -> Any:
        return self.breakers.guard(name, failures, policy or BREAKER_POLICY)

    def budget(self, name: str, points: float, per_s: float) -> Budget:
        return Budget(self.redis, name, "test", points, per_s)


@pytest.fixture
def ctx(settings: Settings) -> Iterator[Context]:
    dsn = settings.postgres_dsn("test").get_secret_value()
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = Context(connection, settings)
        with contextlib.closing(found.redis):
            yield found


@pytest.fixture
def exchange(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> FakeExchange:
    monkeypatch.setattr(client, "TIMEOUT_MS", 3000)
    return exchange


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    found = Hands()
    monkeypatch.setattr(download_candles, "CLOCK", found.clock())
    return found


def download(ctx: Context, since: str | None = "2024-01-01", **payload: Any) -> dict[str, Any]:
    asked = {"exchange": "binance", "symbol": "BTC/USDT", "interval": "1h", "since": since, **payload}
    return download_candles.run(ctx, download_candles.JOB.validate(asked))  # type: ignore[arg-type]


def hours(ctx: Context, series: str = SERIES) -> list[int]:
    """The stored bars as hours since the beginning."""
    days = store.read(ctx.store, series, interval="1h").day
    return [int(day.astype("int64") - START.timestamp()) // 3600 for day in days]


def test_a_download_goes_page_by_page_and_the_next_one_goes_on(
    ctx: Context, exchange: FakeExchange, hands: Hands
) -> None:
    exchange.page = 40
    result = download(ctx)
    assert (result["pages"], result["inserted"], result["rejected"], result["flagged"]) == (3, 100, 0, {})
    assert hours(ctx) == list(range(100))
    assert result["symbols"] == [{"symbol": SERIES, "rows": 100, "first": "2024-01-01", "last": "2024-01-05T03:00:00"}]
    assert ctx.notes[-1] == "100 bars, until 2024-01-05 03:00"
    exchange.count, hands.hour = 130, 130.9
    result = download(ctx)
    assert (result["inserted"], result["unchanged"]) == (30, 1)
    assert hours(ctx) == list(range(130))
    assert exchange.asked[-1]["startTime"] == str(bar(99)[0])
    # Nothing new yet.
    assert (download(ctx)["inserted"], hours(ctx)) == (0, list(range(130)))


def test_the_bar_that_is_not_over_is_stored_once_it_is(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    exchange.count = 101
    assert download(ctx)["inserted"] == 100
    hands.hour = 101.1
    assert (download(ctx)["inserted"], hours(ctx)[-1]) == (1, 100)


def test_the_newest_bar_is_corrected_by_the_next_download(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    wrong = [*bar(99)[:5], "1.0", *bar(99)[6:]]
    exchange.faults = [fake.changed(lambda bars: [*bars[:-1], wrong])]
    download(ctx)
    result = download(ctx)
    assert (result["inserted"], result["updated"]) == (0, 1)
    assert store.read(ctx.store, SERIES, interval="1h").volume[-1] == 12.5


def test_older_bars_are_fetched_where_there_are_some(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    download(ctx, "2024-01-03")
    assert hours(ctx) == list(range(48, 100))
    exchange.page = 20
    assert download(ctx)["inserted"] == 48
    assert hours(ctx) == list(range(100))
    # Where the exchange has none, one page says so.
    asked = len(exchange.asked)
    assert download(ctx, "2020-01-01")["inserted"] == 0
    assert len(exchange.asked) == asked + 2


def test_older_bars_come_as_a_whole_or_not_at_all(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    download(ctx, "2024-01-03")
    exchange.page = 20
    good = fake.changed(lambda bars: bars)
    exchange.faults = [good, *[fake.status(500)] * 50]
    with pytest.raises(UnwellError):
        download(ctx)
    assert hours(ctx) == list(range(48, 100))
    exchange.faults = []
    download(ctx)
    assert hours(ctx) == list(range(100))


def test_without_a_day_the_last_thousand_bars_come(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    exchange.count, hands.hour = 3000, 3000.5
    download(ctx, None)
    assert hours(ctx) == list(range(2000, 3000))


def test_a_name_of_ones_own_and_another_exchange_do_not_mix(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    download(ctx, series="btc")
    assert len(hours(ctx, "BTC")) == 100
    with pytest.raises(JobFailure):
        hours(ctx)


PASSING = {
    "500": fake.status(500),
    "502 of a proxy": fake.html(502),
    "truncated JSON": fake.truncated,
    "a body cut off": fake.cut,
    "a dropped socket": fake.dropped,
    "an empty page": fake.empty,
    "slowness": fake.slow,
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_for(ctx: Context, exchange: FakeExchange, hands: Hands, name: str) -> None:
    exchange.faults = [PASSING[name]] * 2
    assert download(ctx)["inserted"] == 100
    # Twice by backoff; no wait for the budget of one.
    assert len(hands.slept) == 2
    (found,) = ctx.breakers.all() or (None,)
    assert found is None or not found.open


@pytest.mark.parametrize(("fault", "error"), [(fake.status(500), UnwellError), (fake.empty, NoBarsError)])
def test_what_does_not_pass_opens_the_breaker_and_what_came_stays(
    ctx: Context, exchange: FakeExchange, hands: Hands, fault: Any, error: type[Exception]
) -> None:
    exchange.page = 40
    good = fake.changed(lambda bars: bars)
    exchange.faults = [good, *[fault] * 200]
    for _ in range(2):
        with pytest.raises(error):
            download(ctx)
    with pytest.raises(BreakerOpen) as opened:
        download(ctx)
    assert opened.value.name == BREAKER
    assert hours(ctx) == list(range(40))
    asked = len(exchange.asked)
    with pytest.raises(BreakerOpen):
        download(ctx)
    assert len(exchange.asked) == asked
    exchange.faults = []
    assert ctx.breakers.reset(BREAKER)
    download(ctx)
    assert hours(ctx) == list(range(100))


@pytest.mark.parametrize("code", [418, 429])
def test_who_is_refused_leaves_the_exchange_alone_until_the_stated_time(
    ctx: Context, exchange: FakeExchange, hands: Hands, code: int
) -> None:
    seconds = 259_000 if code == 418 else 137
    exchange.faults = [fake.status(code, {"Retry-After": str(seconds)})]
    with pytest.raises(BreakerOpen) as opened:
        download(ctx)
    assert seconds - 1 <= opened.value.wait_s <= seconds + 1
    assert (len(exchange.asked), hands.slept) == (1, [])
    with pytest.raises(BreakerOpen) as opened:
        download(ctx, symbol="ETH/USDT")
    assert seconds - 120 < opened.value.wait_s < seconds + 2
    assert len(exchange.asked) == 1


def test_doubles_disorder_and_lies_are_rejected_or_shown_and_the_rest_is_stored(
    ctx: Context, exchange: FakeExchange, hands: Hands
) -> None:
    def odd(bars: list[Any]) -> list[Any]:
        older = [bars[0][0] - HOUR_MS, *bars[0][1:]]
        high_below = [bars[7][0], "100.0", "1.0", "0.5", "100.0", *bars[7][5:]]
        return [older, *bars[:3], bars[2], bars[5], bars[4], bars[3], bars[6], high_below, *bars[9:]]

    exchange.faults = [fake.changed(odd)]
    result = download(ctx)
    assert result["rejected_by_reason"] == {
        "bar from before the time that was asked for": 1,
        "duplicate: a later line has the same symbol and day": 1,
        "high is below open": 1,
    }
    assert result["flagged"] == {"gap": 1, "disorder": 1}
    assert hours(ctx) == [number for number in range(100) if number not in {7, 8}]
    query = "SELECT file, line, row->>'high', reason FROM candle_rejected WHERE kind = 'high is below open'"
    assert ctx.store.execute(query).fetchall() == [
        ("binance BTC/USDT 1h from 2024-01-01T00:00Z", 10, "1.0", "high is below open: high 1.0, open 100.0")
    ]


def test_an_exchange_that_stands_still_is_shown(ctx: Context, exchange: FakeExchange, hands: Hands) -> None:
    hands.hour = 110.5
    result = download(ctx)
    assert (result["inserted"], result["flagged"]) == (100, {"gap": 1})
    assert result["flags"][0]["detail"] == "10 bars missing until now"


def test_what_the_exchange_has_not_is_the_end_and_opens_nothing(
    ctx: Context, exchange: FakeExchange, hands: Hands
) -> None:
    with pytest.raises(JobFailure, match="binance does not trade XRP/USDT"):
        download(ctx, symbol="XRP/USDT")
    exchange.count = 0
    with pytest.raises(JobFailure, match="has no bars of BTC/USDT from 2024-01-01 on. Name a later day"):
        download(ctx)
    assert not any(each.open for each in ctx.breakers.all())


def test_a_payload_is_checked_before_it_is_queued() -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=3)).date()
    for odd in ({"exchange": "no such!"}, {"since": str(tomorrow)}, {"interval": "7h"}):
        with pytest.raises(PayloadInvalid):
            download_candles.JOB.validate({"exchange": "binance", "symbol": "BTC/USDT", **odd})
