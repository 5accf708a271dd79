"""A halt asks, and then reads: what the bot did not do, or nobody could read, is never called done."""

from collections.abc import Callable, Iterator

import pytest

from services.bots import halting
from services.bots.contract import BotError
from services.bots.halting import Halted, halt
from services.bots.watcher import Watcher
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    with served(trades=[fake.position(1), fake.waiting(2)]) as found:
        yield found


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """For those that wait in vain."""
    monkeypatch.setattr(halting, "SETTLE_S", 0.5)


def halted(bot: FakeBot, *, close: bool = False, sleep: Callable[[float], None] = lambda _: None) -> Halted:
    return halt(Watcher("freqtrade", bot.adapter()), close=close, sleep=sleep)


def test_it_opens_nothing_more_and_what_protects_a_position_stays(bot: FakeBot) -> None:
    done = halted(bot)
    assert done.failures == ()
    status, book = done.seen.status.value, done.seen.book.value
    assert status is not None
    assert book is not None
    assert not status.opening
    assert [each.id for each in book.positions] == ["1"]
    assert [each.opens for each in book.orders] == [False]
    assert done.cancelled == 1


def test_with_close_nothing_is_left(bot: FakeBot) -> None:
    book = halted(bot, close=True).seen.book.value
    assert book is not None
    assert (book.positions, book.orders) == ((), ())


@pytest.mark.usefixtures("brief")
def test_what_it_does_not_do_is_still_there_afterwards(bot: FakeBot) -> None:
    bot.obeys = False
    done = halted(bot, close=True)
    status, book = done.seen.status.value, done.seen.book.value
    assert status is not None
    assert book is not None
    assert status.opening
    assert len(book.positions) == 1
    assert [each.opens for each in book.orders] == [False, True]


@pytest.mark.usefixtures("brief")
def test_an_order_that_it_refuses_does_not_keep_the_others_from_it(bot: FakeBot) -> None:
    bot.faults["/stopentry"] = fake.status(500)
    done = halted(bot, close=True)
    assert ["HTTP 500" in each for each in done.failures] == [True]
    book = done.seen.book.value
    assert book is not None
    assert book.positions == ()


@pytest.mark.usefixtures("brief")
def test_only_what_it_took_is_counted_as_cancelled(bot: FakeBot) -> None:
    bot.faults["/trades/2/open-order"] = fake.status(500)
    done = halted(bot)
    assert done.cancelled == 0
    assert sum("HTTP 500" in each for each in done.failures) == 1


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("path", ["*", "/stopentry", "/forceexit", "/trades/2/open-order"])
def test_one_that_dies_in_the_middle_is_not_known(bot: FakeBot, path: str) -> None:
    bot.faults[path] = fake.dies
    done = halted(bot, close=True)
    assert done.failures
    assert done.seen.book.value is None
    assert done.seen.status.value is None


def test_settings_that_name_no_bot_are_a_failure() -> None:
    done = halt(Watcher("freqtrade", BotError("BOT_URL does not say where.")), close=False)
    assert done.failures == ("BOT_URL does not say where.",)
    assert done.seen.book.value is None


def test_what_the_loop_in_flight_opens_is_cancelled_and_closed_as_well(bot: FakeBot) -> None:
    """It was told to open nothing, and had decided on two more by then: a real one opens them seconds later."""
    bot.in_flight = [fake.waiting(3), fake.position(4)]
    done = halted(bot, close=True)
    book = done.seen.book.value
    assert book is not None
    assert (done.failures, book.positions, book.orders) == ((), (), ())
    assert done.cancelled == 2


@pytest.mark.usefixtures("brief")
def test_a_loop_that_does_not_end_may_open_one_more(bot: FakeBot) -> None:
    bot.faults["/health"] = lambda answer: answer.reply(200, {"last_process_ts": 1_700_000_000})
    assert halted(bot).failures == (halting.IN_FLIGHT,)


def test_one_that_was_stopped_has_no_loop_to_wait_for_and_takes_no_order(bot: FakeBot) -> None:
    bot.trades, bot.state = [fake.position(1)], "stopped"
    bot.faults["/health"] = lambda answer: answer.reply(200, {"last_process_ts": 1_700_000_000})
    assert halted(bot).failures == ()
    assert bot.state == "stopped"


@pytest.mark.usefixtures("brief")
def test_one_that_was_stopped_says_that_it_closes_nothing(bot: FakeBot) -> None:
    bot.state = "stopped"
    done = halted(bot, close=True)
    assert [each.endswith("trader is not running.") for each in done.failures] == [True, True]
    assert done.cancelled == 0


def test_one_that_reads_its_configuration_again_is_halted_once_it_is_through(bot: FakeBot) -> None:
    """Meanwhile it forgets what it is told, and is away for a moment."""
    bot.state = "reload_config"

    def sleep(_: float) -> None:
        if bot.state == "reload_config" and "*" not in bot.faults:
            bot.faults["*"] = fake.dropped
        elif "*" in bot.faults:
            bot.faults.clear()
            bot.state = "running"

    done = halted(bot, sleep=sleep)
    assert (done.failures, bot.state) == ((), "paused")
    assert "POST /stopentry" in bot.asked


def test_whoever_is_not_let_in_does_not_try_again(bot: FakeBot) -> None:
    bot.password = "another"
    assert ["bot_password" in each for each in halted(bot).failures] == [True]
    assert bot.asked.count("POST /stopentry") == 0


def test_an_order_that_it_did_without_saying_so_is_no_failure(bot: FakeBot) -> None:
    """Its answer did not come in time."""

    def silent(answer: fake.Answer) -> None:
        bot.trades = [fake.position(1)]
        fake.dropped(answer)

    bot.faults["/trades/2/open-order"] = silent
    done = halted(bot)
    assert (done.failures, done.cancelled) == ((), 0)


def test_after_its_time_it_asks_for_nothing_more(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting, "LONGEST_S", -1.0)
    assert halted(bot, close=True).failures == (halting.LATE,)
    assert not [each for each in bot.asked if not each.startswith("GET")]
