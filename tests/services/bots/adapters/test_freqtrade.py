"""freqtrade's answers become facts, and each fault of it an error of its kind: never an empty list."""

import time
from collections.abc import Iterator

import pytest

from services.bots.adapters import freqtrade
from services.bots.adapters.freqtrade import ADAPTER, Freqtrade
from services.bots.contract import (
    Book,
    BotError,
    BotFailed,
    BotLimited,
    BotRefused,
    BotUnreachable,
    BotUnreadable,
    Login,
    Mode,
)
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served
from tests.waiting import free_port


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    with served() as found:
        yield found


def test_its_status_spells_out_the_mode(bot: FakeBot) -> None:
    found = bot.adapter().status()
    assert (found.name, found.mode, found.state, found.opening) == ("freqtrade", Mode.LIVE, "running", True)
    assert found.exchange == "binance"
    assert found.started_at is not None
    assert found.started_at.timestamp() == int(bot.started_at)
    assert found.last_loop_at is not None
    assert found.clock_offset_s == 0.0
    bot.dry_run = True
    assert bot.adapter().status().mode is Mode.PAPER


@pytest.mark.parametrize(("state", "allowed"), [("paused", 3), ("stopped", 3), ("running", 0)])
def test_it_opens_nothing_when_it_is_paused_stopped_or_allowed_no_trade(bot: FakeBot, state: str, allowed: int) -> None:
    bot.state, bot.max_open_trades = state, allowed
    assert not bot.adapter().status().opening


@pytest.mark.parametrize(("state", "allowed"), [("reload_config", 3), ("reload_config", 0), ("running", -1)])
def test_one_that_reads_its_configuration_again_opens_what_that_allows(bot: FakeBot, state: str, allowed: int) -> None:
    bot.state, bot.max_open_trades = state, allowed
    assert bot.adapter().status().opening


def test_its_server_renews_the_date_once_a_second(bot: FakeBot) -> None:
    bot.date_age = 0.9
    assert bot.adapter().status().clock_offset_s == 0.0


@pytest.mark.parametrize("ahead", [30.0, -30.0])
def test_a_clock_that_is_off_is_seen_in_its_answers(bot: FakeBot, ahead: float) -> None:
    bot.ahead = ahead
    found = bot.adapter().status().clock_offset_s
    assert found is not None
    assert found * ahead > 0
    assert 25 < abs(found) <= 30


def test_the_age_of_its_last_loop_is_by_our_clock(bot: FakeBot) -> None:
    bot.ahead = -5000.0
    looped = bot.adapter().status().looped_at
    assert looped is not None
    assert abs(time.time() - looped.timestamp()) < 300


def test_positions_and_resting_orders_come_from_one_answer(bot: FakeBot) -> None:
    bot.trades = [fake.position(1), fake.waiting(2)]
    book = bot.adapter().book()
    assert [(each.id, each.symbol, each.side, each.amount) for each in book.positions] == [
        ("1", "BTC/USDT", "long", 0.5)
    ]
    assert [(each.id, each.owner, each.opens) for each in book.orders] == [
        ("order-11", "1", False),
        ("order-20", "2", True),
    ]


def test_what_may_be_a_position_is_one(bot: FakeBot) -> None:
    partly = fake.trade(1, fake.order(10, filled=0.1))
    unknown = fake.trade(2)
    odd = fake.trade(3, fake.order(30, is_open=False))
    bot.trades = [partly, unknown, odd]
    assert [(each.id, each.amount) for each in bot.adapter().book().positions] == [("1", 0.1), ("2", 0.5), ("3", 0.0)]


def test_a_short_is_opened_by_selling(bot: FakeBot) -> None:
    bot.trades = [fake.trade(1, fake.order(10, "sell"), fake.order(11, "buy", filled=0.1), is_short=True)]
    book = bot.adapter().book()
    assert book.positions[0].side == "short"
    assert [each.opens for each in book.orders] == [True, False]


@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_no_trade_is_believed_once_it_was_counted_as_well(bot: FakeBot, state: str) -> None:
    bot.state = state
    assert bot.adapter().book() == Book((), ())
    assert "GET /profit" in bot.asked if state == "stopped" else "GET /count" in bot.asked


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_an_empty_list_that_hides_a_trade_is_not_believed(bot: FakeBot, state: str) -> None:
    bot.state, bot.trades = state, [fake.position()]
    bot.faults["/status"] = lambda answer: answer.reply(200, [])
    with pytest.raises(BotUnreadable, match="lists no open trade, and counts 1"):
        bot.adapter().book()


def test_a_trade_that_it_opens_while_it_is_read_is_no_contradiction(bot: FakeBot) -> None:
    asked: list[str] = []

    def empty_at_first(answer: fake.Answer) -> None:
        asked.append(answer.path)
        answer.reply(200, bot.trades if asked[1:] else [])

    bot.trades = [fake.position()]
    bot.faults["/status"] = empty_at_first
    assert [each.id for each in bot.adapter().book().positions] == ["1"]


def test_balance_and_the_newest_candle(bot: FakeBot) -> None:
    account = bot.adapter().account()
    assert account.foreign is None, "a spot account shows no positions"
    (usdt,) = account.balances
    assert (usdt.currency, usdt.total, usdt.free) == ("USDT", 1000.5, 900.5)
    candle = bot.adapter().candle()
    assert candle is not None
    assert (candle.symbol, candle.seconds) == ("BTC/USDT", 3600)
    assert 50 < time.time() - candle.ended_at.timestamp() < 300


def test_positions_of_the_account_that_are_not_its_own(bot: FakeBot) -> None:
    bot.trading_mode = "futures"
    assert bot.adapter().account().foreign == ()
    bot.account_positions = {"BTC/USDT:USDT": True, "ETH/USDT:USDT": False}
    account = bot.adapter().account()
    assert account.foreign == ("ETH/USDT:USDT",)
    assert [each.currency for each in account.balances] == ["USDT"], "a position is no money"
    bot.account_positions["ETH/USDT:USDT"] = None
    assert bot.adapter().account().foreign is None, "an older release does not say whose it is"


def test_a_bot_without_pairs_has_no_candle(bot: FakeBot) -> None:
    bot.faults["/whitelist"] = lambda answer: answer.reply(200, {"whitelist": [], "length": 0, "method": []})
    assert bot.adapter().candle() is None


FAULTS = {
    "500": (fake.status(500), BotFailed),
    "429": (fake.status(429), BotLimited),
    "403": (fake.status(403), BotRefused),
    "a redirect": (fake.status(302), BotFailed),
    "a page of a proxy": (fake.html, BotUnreadable),
    "truncated JSON": (fake.truncated, BotUnreadable),
    "a body cut off": (fake.cut, BotUnreachable),
    "a dropped socket": (fake.dropped, BotUnreachable),
    "slowness": (fake.slow, BotUnreachable),
    "an answer that drips": (fake.drip, BotUnreachable),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_an_error_of_its_kind(bot: FakeBot, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough for a busy host, and short enough for the answers that never come.
    monkeypatch.setattr(freqtrade, "PIECE_S", 3.0)
    monkeypatch.setattr(freqtrade, "ANSWER_S", 3.0)
    fault, kind = FAULTS[name]
    bot.trades = [fake.position()]
    bot.faults["*"] = fault
    with pytest.raises(BotError) as caught:
        bot.adapter().book()
    assert type(caught.value) is kind
    assert str(caught.value).endswith(".")
    assert fake.PASSWORD not in str(caught.value)


def test_a_wrong_or_unreadable_password_is_refused(bot: FakeBot) -> None:
    with pytest.raises(BotRefused, match="bot_password"):
        Freqtrade(bot.login("another")).status()

    def unreadable() -> None:
        raise ValueError("the secret file is empty")

    with pytest.raises(BotRefused, match="cannot be read"):
        Freqtrade(Login(bot.url, fake.USER, unreadable)).status()


@pytest.mark.parametrize("url", ["http://127.0.0.1:PORT", "http://[broken", "nonsense"])
def test_nothing_there_is_unreachable(url: str) -> None:
    url = url.replace("PORT", str(free_port()))
    with pytest.raises(BotUnreachable):
        ADAPTER.watch(Login(url, fake.USER, lambda: None)).status()


def test_halting_pauses_it_and_leaves_a_stopped_one_alone(bot: FakeBot) -> None:
    bot.adapter().halt()
    assert bot.state == "paused"
    bot.state = "stopped"
    bot.adapter().halt()
    assert bot.state == "stopped"


def test_one_that_reads_its_configuration_again_would_forget_a_halt(bot: FakeBot) -> None:
    bot.state = "reload_config"
    with pytest.raises(BotFailed, match="in its state reload_config"):
        bot.adapter().halt()


def test_an_order_is_cancelled_and_a_position_closed(bot: FakeBot) -> None:
    bot.trades = [fake.position(1), fake.waiting(2)]
    adapter = bot.adapter()
    book = adapter.book()
    adapter.cancel(book.orders[1])
    adapter.close(book.positions[0])
    assert adapter.book() == Book((), ())
    assert {"DELETE /trades/2/open-order", "POST /forceexit"} <= set(bot.asked)


def test_an_order_filled_in_part_leaves_a_position(bot: FakeBot) -> None:
    bot.trades = [fake.trade(1, fake.order(10, filled=0.1))]
    adapter = bot.adapter()
    before = adapter.book()
    adapter.cancel(before.orders[0])
    after = adapter.book()
    assert [[each.amount for each in book.positions] for book in (before, after)] == [[0.1], [0.1]]
    assert after.orders == ()


def test_what_an_order_has_closed_already_is_held_no_more(bot: FakeBot) -> None:
    bought = fake.order(10, filled=0.5, is_open=False)
    sold = fake.order(10, "sell", filled=0.5, is_open=False)
    bot.trades = [
        fake.trade(1, bought, fake.order(11, "sell", filled=0.2)),
        fake.trade(2, bought, fake.order(11, "stoploss", filled=0.5)),
        fake.trade(3, sold, fake.order(11, filled=0.1), is_short=True),
    ]
    assert [each.amount for each in bot.adapter().book().positions] == [0.3, 0.0, 0.4]


@pytest.mark.parametrize("close", [True, False])
def test_a_stopped_one_says_why_it_takes_no_order(bot: FakeBot, close: bool) -> None:
    bot.trades, bot.state = [fake.position(1), fake.waiting(2)], "stopped"
    adapter = bot.adapter()
    book = adapter.book()
    with pytest.raises(BotFailed, match=r"HTTP 502: trader is not running\.$"):
        adapter.close(book.positions[0]) if close else adapter.cancel(book.orders[1])


REASONS = {
    "a page": "<html></html>",
    "a list": '{"detail": [{"loc": ["body"], "msg": "missing"}]}',
    "two lines": '{"error": "one\\ntwo"}',
    "a novel": '{"error": "' + 300 * "x" + '"}',
    "none": "{}",
}


@pytest.mark.parametrize("name", REASONS)
def test_what_is_no_short_line_is_no_reason(bot: FakeBot, name: str) -> None:
    bot.faults["*"] = lambda answer: answer.reply_text(502, REASONS[name])
    with pytest.raises(BotFailed, match=r"with HTTP 502\.$"):
        bot.adapter().status()


def test_times_that_cannot_be_are_unreadable(bot: FakeBot) -> None:
    bot.faults["/health"] = lambda answer: answer.reply(200, {"last_process_ts": 10**18})
    with pytest.raises(BotUnreadable, match="a time that cannot be"):
        bot.adapter().status()
