"""What is not read, or not lately, is not known; and never what it was before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from services.bots.contract import Book, Mode
from services.bots.watcher import SECOND, STALE, Watcher, watcher_for
from services.common.settings import Settings
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served
from tests.waiting import until


class Hands:
    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    with served(trades=[fake.position()]) as found:
        yield found


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def watcher(bot: FakeBot, hands: Hands) -> Watcher:
    return Watcher("freqtrade", bot.adapter(), hands)


def test_nothing_is_known_before_the_first_reading(watcher: Watcher, bot: FakeBot) -> None:
    seen = watcher.seen()
    assert (seen.book.value, seen.book.at, bot.asked) == (None, None, [])
    assert seen.book.problem


def test_a_reading_has_each_fact_with_its_time(watcher: Watcher, hands: Hands) -> None:
    seen = watcher.read()
    assert seen.status.value is not None
    assert seen.status.value.mode is Mode.LIVE
    assert seen.book.value is not None
    assert len(seen.book.value.positions) == 1
    assert {seen.status.at, seen.book.at, seen.account.at, seen.candle.at} == {hands.moment}
    assert not any(each.problem for each in (seen.status, seen.book, seen.account, seen.candle))


def test_what_one_question_does_not_give_alone_is_unknown(watcher: Watcher, bot: FakeBot) -> None:
    watcher.read()
    bot.faults["/balance"] = fake.status(500)
    seen = watcher.read()
    assert (seen.account.value, "HTTP 500" in seen.account.problem) == (None, True)
    assert seen.book.value is not None


def test_a_bot_that_is_gone_is_asked_once_and_nothing_of_it_is_known(
    watcher: Watcher, bot: FakeBot, hands: Hands
) -> None:
    first = hands.moment
    watcher.read()
    bot.asked.clear()
    bot.faults["*"] = fake.dropped
    hands.moment += timedelta(seconds=5)
    seen = watcher.read()
    assert bot.asked == ["GET /show_config"]
    assert [each.value for each in (seen.status, seen.book, seen.account, seen.candle)] == [None] * 4
    assert seen.book.at == first
    bot.faults.clear()
    assert watcher.read().book.value is not None


def test_what_was_read_too_long_ago_is_not_known(watcher: Watcher, hands: Hands) -> None:
    watcher.read()
    hands.moment += STALE
    assert watcher.seen().book.value is not None
    hands.moment += timedelta(seconds=1)
    assert (watcher.seen().book.value, watcher.seen().book.problem) == (None, "It was not read again in time.")


def test_a_start_that_goes_back_is_a_second_instance(watcher: Watcher, bot: FakeBot, hands: Hands) -> None:
    watcher.read()
    bot.started_at += 100  # a restart
    assert watcher.read().second_at is None
    bot.started_at -= 100
    seen = watcher.read()
    assert (seen.second_at, seen.second) == (hands.moment, "Two instances of freqtrade answer in turn.")
    hands.moment += SECOND + timedelta(seconds=1)
    bot.started_at += 100
    seen = watcher.read()
    assert (seen.second_at, seen.second) == (None, "")


def test_another_one_on_its_account_is_a_second_instance(bot: FakeBot, hands: Hands) -> None:
    with served(trades=[fake.position()]) as copy:
        other = Watcher("freqtrade", copy.adapter(), hands)
        watcher = Watcher("freqtrade", bot.adapter(), hands, {"http://other": other})
        assert watcher.read().second_at is None, "the other was not read"
        assert watcher.not_compared() == {"http://other": "It has not been read yet."}
        other.read()
        assert watcher.not_compared() == {}
        seen = watcher.read()
        assert seen.second_at == hands.moment
        assert seen.second == (
            "The bot at http://other trades on the account of freqtrade: both list the order order-11."
        )
        copy.trades, copy.money = [], 77.0
        other.read()
        hands.moment += SECOND + timedelta(seconds=1)
        other.read()
        assert watcher.read().second_at is None


def test_one_that_cannot_be_read_is_not_compared(bot: FakeBot, hands: Hands) -> None:
    with served(password="another") as copy:
        other = Watcher("freqtrade", copy.adapter(), hands)
        other.read()
        watcher = Watcher("freqtrade", bot.adapter(), hands, {"http://other": other})
        assert watcher.read().second_at is None
        assert "does not take our login" in watcher.not_compared()["http://other"]


def test_who_asks_while_it_is_read_gets_that_reading_or_a_later_one(watcher: Watcher, bot: FakeBot) -> None:
    found: list[Book | None] = []
    threads = [Thread(target=lambda: found.append(watcher.read().book.value)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(found) == 8
    assert None not in found
    assert bot.asked.count("GET /status") <= 8


def test_without_an_adapter_there_is_no_watcher() -> None:
    assert watcher_for(Settings()) is None


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (Settings(bot_adapter="hal9000", bot_url="http://127.0.0.1:1"), "BOT_ADAPTER is none of: freqtrade."),
        (Settings(bot_adapter="freqtrade"), "BOT_URL does not say where the bot answers."),
    ],
)
def test_a_setting_that_cannot_be_is_the_reason_why_nothing_is_known(settings: Settings, problem: str) -> None:
    found = watcher_for(settings)
    assert found is not None
    assert found.read().book.problem == problem


def test_others_are_read_with_the_same_login(bot: FakeBot, tmp_path: Path) -> None:
    file = tmp_path / "bot_password"
    file.write_text(fake.PASSWORD)
    with served() as first, served() as second:
        settings = Settings(
            bot_adapter="freqtrade",
            bot_url=bot.url,
            bot_others=f"{first.url},{second.url}",
            bot_user=fake.USER,
            bot_password_file=file,
        )
        found = watcher_for(settings)
        assert found is not None
        assert [*found.others] == [first.url, second.url]
        assert not any(each.read().book.problem for each in found.others.values())
        found.start()
        until(lambda: not found.not_compared() and found.seen().book.value is not None, "all are read", 60)
        found.stop()


def test_it_logs_in_as_the_settings_say(bot: FakeBot, tmp_path: Path) -> None:
    file = tmp_path / "bot_password"
    file.write_text(fake.PASSWORD)
    found = watcher_for(Settings(bot_adapter="freqtrade", bot_url=bot.url, bot_user=fake.USER, bot_password_file=file))
    assert found is not None
    assert not found.read().book.problem
