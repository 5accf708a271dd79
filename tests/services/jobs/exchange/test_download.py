"""Which pages a download asks for, what it stores of each, and where it ends; exchange and store stand in here.

tests/integration/exchange/test_download.py has a real Postgres and Redis, and an exchange that fails in every way.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from psycopg.rows import tuple_row

from services.common.jobtypes import JobFailure, PayloadInvalid
from services.jobs import download_candles
from services.jobs.download_candles import JOB
from services.jobs.exchange import download
from services.jobs.exchange.clock import Clock
from services.jobs.exchange.download import FAILURES, FIRST_BARS, POLICY, Download, Wanted, breaker_of
from services.jobs.exchange.patience import NoBarsError, UnwellError
from services.jobs.market import store
from services.jobs.market.rejects import Rejects
from services.jobs.market.store import Written
from tests.services.jobs.exchange.fake import START, Hands

HOUR = 3600
BEGIN = int(START.timestamp())
SERIES = "BINANCE:BTC/USDT"


def row(hour: float, high: float = 102.0) -> tuple[float, ...]:
    return (BEGIN + hour * HOUR) * 1000, 100.0, high, 99.0, 101.0, 12.5


class World:
    """An exchange with bars of the hours from ``first`` to before ``count``, ``page`` at a time; a store that has those
    of ``span``; and what happened to both."""

    name = "binance"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.first, self.count, self.page_size = 0, 100, 1000
        self.span: tuple[int, int] | None = None
        self.hands = Hands()
        self.faults: list[Exception | list[Any]] = []
        self.asked: list[float] = []
        self.stored: list[float] = []
        self.rejected: list[Any] = []
        self.guards: list[Any] = []
        self.told: list[tuple[float, str]] = []
        self.transactions: list[str] = []
        self.checked: list[Any] = []
        self.store = self
        monkeypatch.setattr(download, "_span", self._span)
        monkeypatch.setattr(store, "series_ids", self._ids)
        monkeypatch.setattr(store, "Upsert", lambda given: self)
        monkeypatch.setattr(Rejects, "store", self._rejects)

    def run(self, since: float | None = 0, **more: Any) -> Download:
        wanted = Wanted("BTC/USDT", SERIES, "1h", None if since is None else int(BEGIN + since * HOUR))
        made = Download(cast("Any", self), cast("Any", self), wanted, self.hands.clock())
        made.run()
        return made

    # The exchange.
    def check(self, symbol: str, interval: str) -> None:
        self.checked.append((symbol, interval))

    def page(self, symbol: str, interval: str, since_ms: int) -> list[Any]:
        assert (symbol, interval) == ("BTC/USDT", "1h")
        since = (since_ms / 1000 - BEGIN) / HOUR
        self.asked.append(since)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        first = max(self.first, int(since))
        return [row(hour) for hour in range(first, min(self.count, first + self.page_size))]

    # The job.
    @contextmanager
    def breaker(self, *words: Any) -> Iterator[None]:
        self.guards.append(words)
        yield

    def check_cancelled(self) -> None:
        pass

    def progress(self, fraction: float, note: str) -> None:
        self.told.append((fraction, note))

    # The store.
    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.transactions.append("begin")
        yield
        self.transactions.append("commit")

    def _span(self, given: object, wanted: Wanted) -> tuple[int | None, int | None]:
        assert (given, wanted.series) == (self, SERIES)
        return (None, None) if self.span is None else cast("Any", tuple(BEGIN + hour * HOUR for hour in self.span))

    def _ids(self, given: object, symbols: list[str], interval: str) -> dict[str, int]:
        assert (given, interval) == (self, "1h")
        return dict.fromkeys(symbols, 5)

    def add(self, good: Any, ids: dict[str, int]) -> Written:
        assert ids == {SERIES: 5}
        hours = [(day.timestamp() - BEGIN) / HOUR for day in good["day"]]
        new = [hour for hour in hours if hour not in self.stored]
        self.stored += new
        return Written(len(new), 0, len(hours) - len(new))

    def _rejects(self, given: object, label: str, ids: dict[str, int]) -> None:
        self.rejected.append((label, ids))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_each_page_begins_with_the_newest_bar_that_is_known(world: World) -> None:
    world.page_size = 40
    done = world.run()
    assert world.asked == [0, 39, 78]
    assert world.stored == list(range(100))
    assert (done.pages, done.loaded.read, done.loaded.written) == (3, 100, Written(100, 0, 0))
    assert world.guards == [("exchange-binance", FAILURES, POLICY)] * 3
    assert world.checked == [("BTC/USDT", "1h")] * 3
    assert [note for _, note in world.told] == [
        "40 bars, until 2024-01-02 15:00", "79 bars, until 2024-01-04 06:00", "100 bars, until 2024-01-05 03:00",
    ]  # fmt: skip
    assert [fraction for fraction, _ in world.told] == pytest.approx([39 / 100.5, 78 / 100.5, 99 / 100.5])
    assert world.transactions == ["begin", "commit"] * 3
    assert world.rejected == [("binance BTC/USDT 1h from 2024-01-01T00:00Z", {})] * 3
    assert done.loaded.flags == []


def test_one_that_is_stored_goes_on_with_its_newest_bar_which_is_stored_again(world: World) -> None:
    world.span = (0, 99)
    world.count, world.hands.hour = 130, 130.9
    done = world.run()
    assert (world.asked, world.stored) == ([99], list(range(99, 130)))
    assert world.rejected == [("binance BTC/USDT 1h from 2024-01-05T03:00Z", {})]
    assert done.loaded.interval == "1h"


def test_nothing_new_is_no_failure(world: World) -> None:
    world.span = (0, 99)
    assert (world.run().pages, world.asked) == (1, [99])


def test_without_a_day_the_last_thousand_bars_come(world: World) -> None:
    world.first, world.count, world.hands.hour = 0, 3000, 3000.5
    world.run(None)
    assert (world.asked, len(world.stored)) == ([3000 - FIRST_BARS], FIRST_BARS)


def test_older_bars_come_up_to_those_that_are_stored_in_one_transaction(world: World) -> None:
    world.span, world.page_size = (48, 99), 30
    world.run()
    assert world.asked == [0, 29, 99]
    assert world.transactions == ["begin", *["begin", "commit"] * 2, "commit", "begin", "commit"]
    assert {label for label, _ in world.rejected} == {"binance BTC/USDT 1h from 2024-01-01T00:00Z"}
    assert world.told[1][0] == 1.0, "of the older ones all"


@pytest.mark.parametrize("first", [48, 60])
def test_where_the_exchange_has_no_older_ones_one_page_says_so(world: World, first: int) -> None:
    world.span, world.first = (48, 99), first
    done = world.run()
    assert (world.asked, done.pages) == ([0, 99], 2)
    assert world.stored == [99]


def test_a_day_that_is_stored_already_is_not_asked_for(world: World) -> None:
    world.span = (0, 99)
    world.run(0)
    world.run(50)
    assert world.asked == [99, 99]


@pytest.mark.parametrize(("hour", "missing"), [(100.5, None), (101.9, None), (102.0, 2), (110.5, 10)])
def test_an_exchange_that_stands_still_is_shown(world: World, hour: float, missing: int | None) -> None:
    world.hands.hour = hour
    loaded = world.run().loaded
    assert [vars(flag) for flag in loaded.flags] == [
        {
            "symbol": SERIES, "day": "2024-01-05T04:00:00", "kind": "gap",
            "detail": f"{missing} bars missing until now",
        }
    ] * (missing is not None)  # fmt: skip
    assert loaded.flagged == ({"gap": 1} if missing else {})


def test_older_ones_that_end_early_are_no_exchange_that_stands_still(world: World) -> None:
    world.span = (48, 99)
    world.faults = [[row(hour) for hour in range(10)], [row(9)]]
    assert world.run().loaded.flagged == {}
    assert world.asked == [0, 9, 99]


def test_a_page_of_rejected_bars_alone_stores_none_and_keeps_what_was_wrong(world: World) -> None:
    world.count, world.hands.hour = 0, 1.5
    world.faults = [[row(0, high=1.0)], [row(0, high=1.0)]]
    done = world.run()
    assert world.stored == []
    assert done.loaded.rejects.counts.total() >= 1
    assert world.rejected[0] == ("binance BTC/USDT 1h from 2024-01-01T00:00Z", {SERIES: 5})


def test_what_passes_is_asked_again(world: World) -> None:
    world.faults = [UnwellError("500"), []]
    assert world.run().pages == 1
    assert (world.asked, len(world.hands.slept)) == ([0, 0, 0], 2)


def test_an_exchange_without_such_bars_is_the_end(world: World) -> None:
    world.count = 0
    with pytest.raises(JobFailure) as failed:
        world.run()
    assert str(failed.value) == (
        "binance has no bars of BTC/USDT from 2024-01-01 on. Name a later day: since=2024-01-01."
    )


def test_a_page_without_bars_behind_known_ones_has_failed(world: World) -> None:
    world.span, world.count = (0, 99), 0
    with pytest.raises(NoBarsError, match=r"^binance has no bars of BTC/USDT from 2024-01-05 on\.$"):
        world.run()


def test_what_does_not_pass_is_raised_as_it_is(world: World) -> None:
    world.faults = [UnwellError("500")] * 100
    with pytest.raises(UnwellError, match="^500$"):
        world.run()
    assert world.told == []


# The span that is stored


class Cursor:
    def __init__(self, *rows: Any) -> None:
        self.rows, self.asked = list(rows), list[Any]()

    def cursor(self, row_factory: Any) -> "Cursor":
        assert row_factory is tuple_row
        return self

    def execute(self, statement: str, params: list[str]) -> "Cursor":
        self.asked.append((statement, params))
        return self

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None


@pytest.mark.parametrize(("rows", "span"), [([(1, 2)], (1, 2)), ([(None, None)], (None, None)), ([], (None, None))])
def test_the_span_is_that_of_the_series(rows: list[Any], span: Any) -> None:
    cursor = Cursor(*rows)
    assert download._span(cast("Any", cursor), Wanted("BTC/USDT", SERIES, "1h")) == span
    assert cursor.asked == [(download._SPAN, [SERIES, "1h"])]


# The job type


def test_the_job_names_its_series_and_asks_for_the_budget_of_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    waits = [0.0, 2.5]

    class Exchange:
        points_per_minute = 1200.0

        def __init__(self, *words: Any) -> None:
            made.append(words)

    class Downloaded:
        pages = 4

        def __init__(self, *words: Any) -> None:
            made.append(words)
            self.loaded = self

        def run(self) -> None:
            made.append("run")

        def result(self, seconds: float) -> dict[str, Any]:
            return {"seconds": seconds}

    class Ctx:
        def budget(self, *words: Any) -> Any:
            made.append(words)
            return self

        def take(self, cost: float) -> float:
            made.append(cost)
            return waits.pop(0)

    hands, times = Hands(), [10.0, 12.5]
    clock = hands.clock()
    monkeypatch.setattr(download_candles, "CLOCK", clock)
    monkeypatch.setattr(time, "perf_counter", lambda: times.pop(0))
    monkeypatch.setattr("services.jobs.exchange.client.Exchange", Exchange)
    monkeypatch.setattr("services.jobs.exchange.download.Download", Downloaded)
    ctx = Ctx()
    payload = JOB.validate({"exchange": "binance", "symbol": "BTC/USDT", "interval": "1h", "since": "2024-01-01"})
    assert JOB.run(cast("Any", ctx), payload) == {
        "exchange": "binance", "symbol": "BTC/USDT", "series": SERIES, "pages": 4, "seconds": 2.5,
    }  # fmt: skip
    (name, throttle, given), (job, exchange, wanted, own), run = made
    assert (name, given, job, own, run) == ("binance", clock, ctx, clock, "run")
    assert (type(exchange), wanted) == (Exchange, Wanted("BTC/USDT", SERIES, "1h", BEGIN))
    made.clear()
    throttle(0.4)
    throttle(3.0)
    assert made == [(breaker_of("binance"), 1200.0, 60.0), 0.4, (breaker_of("binance"), 1200.0, 60.0), 3.0]
    assert hands.slept == [2.5], "nobody sleeps who need not wait"

    times[:], made[:] = [0.0, 1.0], []
    JOB.run(cast("Any", ctx), JOB.validate({"exchange": "binance", "symbol": "BTC/USDT"}))
    assert made[1][2] == Wanted("BTC/USDT", SERIES, "1d", None)


def test_a_payload_is_checked_before_it_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    class Today(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 11, 28, 23, tzinfo=tz or UTC)

    monkeypatch.setattr(download_candles, "datetime", Today)
    good = {"exchange": "binance", "symbol": "BTC/USDT"}
    assert cast("Any", JOB.validate(good | {"since": "2026-11-29"})).since.day == 29, "somewhere it is that day"
    assert cast("Any", JOB.validate(good | {"series": "btc"})).series == "BTC"
    for odd, said in (
        ({"since": "2026-11-30"}, "since: must not be a day to come"),
        ({"exchange": "no such!"}, "exchange: "),
        ({"interval": "7h"}, "interval: "),
        ({"exchange": None}, "exchange: "),
    ):
        with pytest.raises(PayloadInvalid, match=said):
            JOB.validate(good | odd)


def test_the_clock_of_a_download_is_the_worlds() -> None:
    clock = Clock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
    assert clock.now().tzinfo is UTC
