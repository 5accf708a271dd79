"""Whether the bot that is watched trades as safely as this stack declares, at every level."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere, Skip, Unknown
from tradebot_ops.facts.project import bots
from tradebot_ops.facts.project.bots import Trading
from tradebot_ops.facts.project.halt_drill import Drilled
from tradebot_ops.facts.work.halt import Halt
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.operations.money import stop_works, trading_safe
from tradebot_ops.settings import load_settings

WELL = Trading("freqtrade", "prod", "live", True, 0, 0, "", (), (), 0.0, 100.0, 300.0)
BOT: dict[str, Any] = {
    "adapter": "freqtrade",
    "mode": "live",
    "opening": True,
    "positions": [],
    "orders": [],
    "second_instance": "",
    "foreign_positions": None,
    "not_compared": {},
    "clock_offset_s": 0.5,
    "last_candle_age_s": 100.0,
    "candle_s": 300.0,
    "problems": {},
}


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, Level.PASS, "live in prod"),
        ({"mode": "paper", "env": "staging"}, Level.PASS, "paper in staging"),
        ({"env": "dev"}, Level.FAIL, "trades with money"),
        ({"second_instance": "Two answer in turn."}, Level.FAIL, "Two answer"),
        ({"foreign": ("ETH", "BTC")}, Level.WARN, "what is not its own: ETH and 1 more."),
        ({"not_compared": ("http://10.0.0.7",)}, Level.WARN, "http://10.0.0.7 trades on the same account is not known"),
        ({"mode": "paper"}, Level.WARN, "on paper"),
        ({"opening": False}, Level.WARN, "opens no positions"),
        ({"clock_offset": -3.0}, Level.WARN, "off by 3 s"),
        ({"candle_age": 601.0}, Level.WARN, "10"),
        ({"candle_age": None}, Level.WARN, "not known"),
    ],
)
def test_trading(change: dict[str, Any], level: Level, words: str) -> None:
    verdict = trading_safe(replace(WELL, **change), None)
    assert verdict.level is level
    assert words in verdict.message


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("halted", "cancelled", "level", "words"),
    [
        (89 * DAY, 90 * DAY, Level.PASS, "cancelled what was resting"),
        (None, None, Level.WARN, "No halt of freqtrade was tried here."),
        (91 * DAY, 91 * DAY, Level.WARN, "The last halt of freqtrade that worked was 91 d ago."),
        (DAY, None, Level.WARN, "No halt of freqtrade in 90 days had resting orders to cancel."),
        (DAY, 91 * DAY, Level.WARN, "No halt of freqtrade in 90 days had resting orders to cancel."),
    ],
)
def test_the_stop(halted: timedelta | None, cancelled: timedelta | None, level: Level, words: str) -> None:
    verdict = stop_works(Drilled("freqtrade", halted, cancelled))
    assert verdict.level is level
    assert words in verdict.message


def test_a_halted_stack_is_said() -> None:
    verdict = trading_safe(WELL, Halt("ana", "a test", 90.0))
    assert (verdict.level, verdict.message) == (Level.WARN, "ana halted the stack 90 s ago.")


@pytest.mark.parametrize(
    ("offset", "off"), [(None, None), (0.0, None), (2.0, None), (-2.0, None), (2.1, 2.1), (-2.1, 2.1)]
)
def test_a_clock_is_off_by_more_than_two_seconds(offset: float | None, off: float | None) -> None:
    assert replace(WELL, clock_offset=offset).clock_off == off


@pytest.mark.parametrize(
    ("age", "candle", "stale"),
    [(600.0, 300.0, False), (600.1, 300.0, True), (None, 300.0, False), (9e9, None, False), (86_700.1, 86_400.0, True)],
)
def test_a_feed_is_stale_five_minutes_after_its_next_candle(
    age: float | None, candle: float | None, stale: bool
) -> None:
    assert replace(WELL, candle_age=age, candle=candle).feed_stale is stale


def asked(tmp_path: Path, *found: Any, adapter: str = "freqtrade") -> Any:
    class Api:
        def bots(self, *, read: bool) -> list[Any]:
            assert read
            return list(found)

    environ = {"TRADEBOT_STATE": str(tmp_path), "BOT_ADAPTER": adapter}
    ops = Ops(load_settings({}, environ, tmp_path), StubEngine("demo"))
    ops.__dict__["api"] = Api()
    return Facts(ops).value(bots.trading)


def test_it_is_read_now(tmp_path: Path) -> None:
    assert asked(tmp_path, BOT) == replace(WELL, env="dev", clock_offset=0.5)


@pytest.mark.parametrize(("found", "adapter"), [((BOT,), ""), ((), "freqtrade")])
def test_without_a_bot_there_is_nothing_to_judge(tmp_path: Path, found: Any, adapter: str) -> None:
    answer = asked(tmp_path, *found, adapter=adapter)
    assert isinstance(answer, NotHere)
    assert answer.reason is Skip.ADAPTER


@pytest.mark.parametrize("gone", ["mode", "positions"])
def test_what_is_not_known_is_no_answer(tmp_path: Path, gone: str) -> None:
    answer = asked(tmp_path, BOT | {gone: None, "problems": {"status": "It is away."}})
    assert isinstance(answer, Unknown)
    assert isinstance(answer.error, OpsError)
