"""Prometheus is shown what is known, and nothing in place of what is not."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from services.bots.collector import BotCollector
from services.bots.watcher import Watcher
from services.common.metrics import METRICS
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served

ALL = {metric.name for metric in METRICS if metric.name.startswith("bot_")}


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    with served(trades=[fake.position(1), fake.position(2), fake.waiting(3)]) as found:
        yield found


def shown(watcher: Watcher) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(BotCollector(watcher))
    return {family.name: sample.value for family in registry.collect() for sample in family.samples}


def read(watcher: Watcher) -> None:
    for each in (watcher, *watcher.others.values()):
        each.read()


def test_every_declared_metric_is_shown_of_a_bot_that_is_well(bot: FakeBot) -> None:
    bot.trading_mode, bot.account_positions = "futures", {"BTC/USDT:USDT": True, "ETH/USDT:USDT": False}
    watcher = Watcher("freqtrade", bot.adapter(), others={bot.url: Watcher("freqtrade", bot.adapter())})
    read(watcher)
    found = shown(watcher)
    assert found.keys() == ALL
    assert {name: found[name] for name in ("bot_readable", "bot_live", "bot_opening", "bot_second_instance")} == {
        "bot_readable": 1,
        "bot_live": 1,
        "bot_opening": 1,
        "bot_second_instance": 0,
    }
    assert found["bot_foreign_positions"] == 1
    assert found["bot_others_not_compared"] == 0
    assert (found["bot_open_positions"], found["bot_resting_orders"]) == (2, 3)
    assert found["bot_candle_seconds"] == 3600


def test_what_is_not_known_is_absent(bot: FakeBot) -> None:
    watcher = Watcher("freqtrade", bot.adapter())
    bot.faults["*"] = fake.dropped
    watcher.read()
    assert shown(watcher) == {"bot_readable": 0, "bot_second_instance": 0}


def test_others_that_were_not_read_are_counted(bot: FakeBot) -> None:
    with served() as gone:
        gone.faults["*"] = fake.dropped
        others = {gone.url: Watcher("freqtrade", gone.adapter()), bot.url: Watcher("freqtrade", bot.adapter())}
        watcher = Watcher("freqtrade", bot.adapter(), others=others)
        assert shown(watcher)["bot_others_not_compared"] == 2, "nobody was read yet"
        read(watcher)
        assert shown(watcher)["bot_others_not_compared"] == 1


def test_a_stopped_bot_has_no_loop_that_could_be_late(bot: FakeBot) -> None:
    bot.state = "stopped"
    watcher = Watcher("freqtrade", bot.adapter())
    watcher.read()
    assert shown(watcher).keys() == ALL - {
        "bot_last_loop_timestamp_seconds",
        "bot_foreign_positions",
        "bot_others_not_compared",
    }, "it trades spot, and no other is named"
