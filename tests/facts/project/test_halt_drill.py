"""A halt that stopped the bot that is watched now, and no other, was tried so long ago."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere, Skip
from tradebot_ops.facts.project.halt_drill import Drilled, drilled
from tradebot_ops.records import HaltDrill, WatchedBot
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
LAST_WEEK = (NOON - timedelta(days=7)).isoformat()


def ops_with(folder: Path, **settings: str) -> Ops:
    environ = {"TRADEBOT_STATE": str(folder), "HOME": str(folder)} | settings
    return Ops(load_settings({"project": "demo"}, environ, folder), StubEngine("demo"), clock=lambda: NOON)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (HaltDrill(), Drilled("freqtrade", None, None)),
        (HaltDrill("freqtrade", LAST_WEEK, ""), Drilled("freqtrade", timedelta(days=7), None)),
        (
            HaltDrill("freqtrade", NOON.isoformat(), LAST_WEEK),
            Drilled("freqtrade", timedelta(0), timedelta(days=7)),
        ),
        (HaltDrill("other", LAST_WEEK, LAST_WEEK), Drilled("freqtrade", None, None)),
    ],
)
@pytest.mark.parametrize("by_setting", [True, False])
def test_since_when(tmp_path: Path, stored: HaltDrill, expected: Drilled, by_setting: bool) -> None:
    ops = ops_with(tmp_path, **({"BOT_ADAPTER": "freqtrade"} if by_setting else {}))
    ops.state.store(stored)
    if not by_setting:
        ops.state.store(WatchedBot("freqtrade"))
    assert Facts(ops).value(drilled) == expected


def test_where_no_bot_is_watched_there_is_nothing_to_try(tmp_path: Path) -> None:
    answer = Facts(ops_with(tmp_path)).value(drilled)
    assert isinstance(answer, NotHere)
    assert answer.reason is Skip.ADAPTER
