"""A halt asks, and then reads: what the bot did not do, or nobody could read, is never called done."""

from collections.abc import Iterator

import pytest

from services.bots import halting
from services.bots.contract import BotError
from services.bots.halting import Halted, halt
from services.bots.watcher import Watcher
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBot]:
    monkeypatch.setattr(halting, "SETTLE_S", 1.0)
    with served(trades=[fake.position(1), fake.waiting(2)]) as found:
        yield found


def halted(bot: FakeBot, *, close: bool = False) -> Halted:
    return halt(Watcher("freqtrade", bot.adapter()), close=close, sleep=lambda _: None)


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


def test_what_it_does_not_do_is_still_there_afterwards(bot: FakeBot) -> None:
    bot.obeys = False
    done = halted(bot, close=True)
    status, book = done.seen.status.value, done.seen.book.value
    assert status is not None
    assert book is not None
    assert status.opening
    assert len(book.positions) == 1
    assert [each.opens for each in book.orders] == [False, True]


def test_an_order_that_it_refuses_does_not_keep_the_others_from_it(bot: FakeBot) -> None:
    bot.faults["/stopentry"] = fake.status(500)
    done = halted(bot, close=True)
    assert ["HTTP 500" in each for each in done.failures] == [True]
    book = done.seen.book.value
    assert book is not None
    assert book.positions == ()


def test_only_what_it_took_is_counted_as_cancelled(bot: FakeBot) -> None:
    bot.faults["/trades/2/open-order"] = fake.status(500)
    done = halted(bot)
    assert (done.cancelled, len(done.failures)) == (0, 1)


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
