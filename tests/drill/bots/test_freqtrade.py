"""The adapter, and the stand-in that its other tests ask, next to a real freqtrade, which `.ci/freqtrade` installs.

Each test has one of its own, for a bot that was told something is another one afterwards.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from services.bots.adapters import freqtrade
from services.bots.adapters.freqtrade import Freqtrade
from services.bots.contract import Book, BotFailed, BotRefused, Mode
from services.bots.halting import Halted, halt
from services.bots.watcher import Watcher
from tests.drill.bots.account import PART
from tests.drill.bots.market import Market, open_market
from tests.drill.bots.real import Real, trading
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served
from tests.waiting import until

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]

#: How long a freqtrade may take to import all that it is made of on a busy machine, and for its loops.
PATIENCE_S = 180
PAIRS = ("BTC/USDT", "ETH/USDT")
CANDLES = "/pair_candles?pair=BTC/USDT&timeframe=1m&limit=1"
#: What the adapter asks.
READ = ("/show_config", "/health", "/status", "/count", "/profit", "/balance", "/whitelist", CANDLES)


@pytest.fixture
def market() -> Iterator[Market]:
    with open_market() as found:
        yield found


@pytest.fixture
def bot(tmp_path: Path, market: Market) -> Iterator[Real]:
    """It holds BTC, which a stop protects, and would buy ETH."""
    with trading(tmp_path, market, *PAIRS) as found:
        until(found.well, "it answers", PATIENCE_S)
        until(lambda: len(found.adapter().book().orders) == 2, "it bought", PATIENCE_S)
        yield found
    assert market.unknown == [], "the market is none"


def halted(bot: Real, *, close: bool = False) -> Halted:
    return halt(Watcher("freqtrade", bot.adapter()), close=close)


def kinds(value: Any) -> Any:
    """The shape of a JSON document: names and kinds, of a list those of its first one; a number may be a whole one."""
    if isinstance(value, dict):
        return {name: kinds(each) for name, each in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return "number" if type(value) in {int, float} else type(value).__name__


def differences(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """What the stand-in answers, and a real one does not. It may leave out what nobody reads."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, each in ours.items():
            if name not in theirs:
                yield f"{where}.{name} is not there"
            else:
                yield from differences(each, theirs[name], f"{where}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from differences(ours[0], theirs[0], where)
    elif ours != theirs and "NoneType" not in {ours, theirs}:
        yield f"{where} is {theirs}, and not {ours}"


def test_each_question_and_field_is_in_its_published_schema(bot: Real) -> None:
    published = bot.ask("GET", "/openapi.json").json()
    orders = {("/stopentry", "post"), ("/trades/{tradeid}/open-order", "delete"), ("/forceexit", "post")}
    for path, method in {(path.partition("?")[0], "get") for path in READ} | orders:
        assert method in published["paths"][f"/api/v1{path}"]
    schemas = published["components"]["schemas"]
    names: dict[str, type[BaseModel]] = {
        "ShowConfig": freqtrade._Config,
        "Health": freqtrade._Health,
        "OpenTradeSchema": freqtrade._Trade,
        "OrderSchema": freqtrade._Order,
        "Count": freqtrade._Count,
        "Profit": freqtrade._Profit,
        "Balance": freqtrade._Currency,
        "WhitelistResponse": freqtrade._Whitelist,
        "PairHistory": freqtrade._Candles,
    }
    for name, shape in names.items():
        assert shape.model_fields.keys() <= schemas[name]["properties"].keys(), name
    assert {"tradeid", "ordertype"} <= schemas["ForceExitPayload"]["properties"].keys()


def test_the_stand_in_answers_nothing_that_a_real_one_does_not(bot: Real) -> None:
    with served(trades=[fake.position(1), fake.waiting(2)], dry_run=True) as stand_in:
        found: list[str] = []
        for path in READ:
            theirs = bot.ask("GET", f"/api/v1{path}")
            ours = _of_stand_in(stand_in, path)
            assert (theirs.status_code, ours.status_code) == (200, 200)
            found += differences(kinds(ours.json()), kinds(theirs.json()), path)
        assert found == []


def test_the_stand_in_refuses_in_the_same_words(bot: Real) -> None:
    """An order of which nothing was filled, twice; a stop alone; trades that are not there; all of it once stopped."""
    refused = [
        ("DELETE", "/trades/2/open-order", None),
        ("DELETE", "/trades/2/open-order", None),
        ("DELETE", "/trades/1/open-order", None),
        ("POST", "/forceexit", {"tradeid": "77", "ordertype": "market"}),
    ]
    stopped = [("GET", "/count", None), *refused[2:]]
    bot.ask("POST", "/api/v1/stopentry")
    with served(trades=[fake.position(1), fake.waiting(2)], state="paused") as stand_in:
        assert _answers(bot, stand_in, refused) == []
        bot.ask("POST", "/api/v1/stop")
        stand_in.state = "stopped"
        assert _answers(bot, stand_in, stopped) == []


def _of_stand_in(stand_in: FakeBot, path: str, method: str = "GET", body: Any = None) -> Any:
    return Real(stand_in.url, None, Path()).ask(method, f"/api/v1{path}", json=body)  # type: ignore[arg-type]


def _answers(bot: Real, stand_in: FakeBot, questions: list[tuple[str, str, Any]]) -> list[Any]:
    """Those that differ."""
    found = []
    for method, path, body in questions:
        theirs = bot.ask(method, f"/api/v1{path}", json=body)
        ours = _of_stand_in(stand_in, path, method, body)
        assert theirs.status_code == 502
        if (theirs.status_code, theirs.json()) != (ours.status_code, ours.json()):
            found.append((method, path, theirs.json(), ours.json()))
    return found


def test_each_fact(bot: Real) -> None:
    adapter = bot.adapter()
    status, book, account, candle = adapter.status(), adapter.book(), adapter.account(), adapter.candle()
    assert (status.name, status.mode, status.state, status.exchange) == ("drilled", Mode.PAPER, "running", "binance")
    assert (status.opening, status.stopped) == (True, False)
    assert status.started_at is not None
    until(lambda: adapter.status().last_loop_at != status.last_loop_at, "one more loop", PATIENCE_S)
    (held,) = book.positions
    assert (held.symbol, held.side) == ("BTC/USDT", "long")
    assert held.price == pytest.approx(60600, rel=1e-3)
    assert held.amount == pytest.approx(1000 / 60600, rel=0.01)
    assert held.opened_at is not None
    assert {(each.symbol, each.owner == held.id, each.opens) for each in book.orders} == {
        ("BTC/USDT", True, False),
        ("ETH/USDT", False, True),
    }
    assert account.foreign is None
    assert {each.currency for each in account.balances} == {"BTC", "USDT"}
    assert candle is not None
    assert (candle.symbol, candle.seconds) == ("BTC/USDT", 60)
    assert 0 <= time.time() - candle.ended_at.timestamp() < PATIENCE_S


def test_its_clock_is_ours(bot: Real) -> None:
    """On one machine; its answers come at any moment of the second in which their date was made."""
    found = set()
    for _ in range(40):
        found.add(bot.adapter().status().clock_offset_s)
        time.sleep(0.05)
    assert found == {0.0}


def test_a_halt_cancels_what_would_open_and_then_closes_all(bot: Real) -> None:
    done = halted(bot)
    status, book = done.seen.status.value, done.seen.book.value
    assert status is not None
    assert book is not None
    assert (done.failures, done.cancelled, status.state, status.opening) == ((), 1, "paused", False)
    assert ([each.symbol for each in book.positions], [each.opens for each in book.orders]) == (["BTC/USDT"], [False])
    done = halted(bot, close=True)
    book = done.seen.book.value
    assert book is not None
    assert (done.failures, book.positions, book.orders) == ((), (), ())


def test_what_the_loop_in_flight_opens_is_cancelled_and_closed(tmp_path: Path, market: Market) -> None:
    market.wait_s = 0.7
    with trading(tmp_path, market, "BTC/USDT", "ETH/USDT", "SOL/USDT") as bot:
        until(bot.well, "it answers", PATIENCE_S)
        before = until(lambda: _holding(bot), "it bought BTC", PATIENCE_S)
        assert len(before.positions) == 1
        assert before.orders == ()
        done = halted(bot, close=True)
        book = done.seen.book.value
        assert book is not None
        assert (done.failures, book.positions, book.orders) == ((), (), ())
        assert done.cancelled == 1, "the one of ETH, which was not there before"
        after = bot.adapter().status().last_loop_at
        until(lambda: bot.adapter().status().last_loop_at != after, "one more loop", PATIENCE_S)
        assert bot.adapter().book() == Book((), ())


def _holding(bot: Real) -> Book | None:
    book = bot.adapter().book()
    return book if book.positions else None


def test_one_that_reads_its_configuration_again_is_halted_once_it_is_through(bot: Real) -> None:
    bot.ask("POST", "/api/v1/reload_config")
    done = halted(bot)
    status = done.seen.status.value
    assert status is not None
    assert (done.failures, status.state) == ((), "paused")


def test_a_stopped_one_still_tells_and_closes_nothing(bot: Real) -> None:
    bot.ask("POST", "/api/v1/stop")
    adapter = bot.adapter()
    book, account = adapter.book(), adapter.account()
    assert (len(book.positions), len(book.orders)) == (1, 2)
    assert account.balances
    assert adapter.status().stopped
    done = halted(bot, close=True)
    assert [each.endswith("trader is not running.") for each in done.failures] == [True, True]
    assert done.seen.book.value == book


def test_a_wrong_password_is_refused(bot: Real) -> None:
    with pytest.raises(BotRefused, match="bot_password"):
        Freqtrade(bot.login("another")).status()


def test_one_that_is_killed_in_the_middle_is_not_known(bot: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freqtrade, "close", lambda *_: bot.kill())
    done = halted(bot, close=True)
    assert done.failures
    assert (done.seen.status.value, done.seen.book.value) == (None, None)


def test_one_that_serves_its_page_alone_trades_nothing_and_is_not_known(tmp_path: Path, market: Market) -> None:
    with trading(tmp_path, market, *PAIRS, mode="webserver") as bot:
        until(lambda: _pings(bot), "it answers", PATIENCE_S)
        for ask in (bot.adapter().status, bot.adapter().book, bot.adapter().account):
            with pytest.raises(BotFailed):
                ask()


def _pings(bot: Real) -> bool:
    try:
        return bot.ask("GET", "/api/v1/ping").is_success
    except httpx.HTTPError:
        assert bot.process.poll() is None, bot.log.read_text()[-4000:]
        return False


def test_two_with_money_on_one_account(tmp_path: Path, market: Market) -> None:
    """The one holds a part of what it bids for; what the other one buys shows that both see one account."""
    folders = [tmp_path / name for name in ("one", "other")]
    with (
        trading(folders[0], market, *PAIRS, live=True) as one,
        trading(folders[1], market, "SOL/USDT", live=True) as other,
    ):
        until(lambda: one.well() and other.well(), "both answer", PATIENCE_S)
        until(lambda: len(one.adapter().book().orders) == 2, "it bought", PATIENCE_S)
        until(lambda: other.adapter().book().orders, "the other one bought", PATIENCE_S)
        held = {each.symbol: each.amount for each in one.adapter().book().positions}
        bid = next(each for each in one.adapter().book().orders if each.opens)
        assert bid.remaining is not None
        assert held["ETH/USDT"] == pytest.approx(PART / (1 - PART) * bid.remaining, rel=1e-3)
        assert one.adapter().status().mode is Mode.LIVE
        second = Watcher("freqtrade", other.adapter())
        watcher = Watcher("freqtrade", one.adapter(), others={other.url: second})
        until(lambda: second.read() and "on the account" in watcher.read().second, "the second is seen", PATIENCE_S)
        done = halted(one)
        assert (done.failures, done.cancelled) == ((), 1)
        after = {each.symbol: each.amount for each in one.adapter().book().positions}
        assert after == pytest.approx(held), "a part that was filled is a position"
        done = halted(one, close=True)
        book = done.seen.book.value
        assert book is not None
        assert (done.failures, book.positions, book.orders) == ((), (), ())
        assert len(other.adapter().book().positions) == 1, "that one was not halted"
    assert market.unknown == []
