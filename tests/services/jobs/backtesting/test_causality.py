"""A strategy that knows its future is caught, however it got it; one that does not is not suspected."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from services.common.jobtypes import Payload
from services.jobs.backtesting.causality import faults
from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.strategy import Strategy
from services.jobs.check_strategy import made_up
from tests.services.jobs.fakes import FileContext

BARS = made_up()


class Nothing(Payload):
    pass


def rule(target: Any, warmup: int = 0) -> Strategy:
    return Strategy("rule", Nothing, lambda bars, _: target(bars), lambda _: warmup)


def series(bars: Any) -> "pd.Series[float]":
    return pd.Series(bars.close)


def kinds(strategy: Strategy, bars: Any = BARS) -> list[str]:
    return [fault.kind for fault in faults(strategy, strategy.Parameters(), bars)]


@pytest.mark.parametrize(
    "target",
    [
        lambda bars: (series(bars).shift(-1) > bars.close).to_numpy(),
        lambda bars: (series(bars).pct_change().shift(-5) > 0).to_numpy(),
        lambda bars: (bars.close > series(bars).rolling(21, center=True).mean()).to_numpy(),
        lambda bars: (series(bars) - series(bars).mean() > series(bars).std()).to_numpy(),
        lambda bars: (series(bars) > series(bars).quantile(0.6)).to_numpy(),
        lambda bars: (series(bars).rank(pct=True) > 0.5).to_numpy(),
        lambda bars: bars.close < bars.close.max() * 0.8,
        lambda bars: np.arange(len(bars)) < len(bars) - 1,
        lambda bars: (series(bars).where(series(bars) > 100).bfill() > 110).to_numpy(),
        # Fills at a bar's open what only its close shows.
        lambda bars: np.append((bars.close > bars.open)[1:], False),
        lambda bars: (series(bars)[::-1].ewm(span=20).mean()[::-1] > bars.close).to_numpy(),
    ],
    ids=["shift", "far-shift", "centred", "normalised", "quantile", "rank", "high", "end", "bfill", "open", "reversed"],
)
def test_each_kind_of_look_ahead_is_caught(target: Any) -> None:
    assert kinds(rule(target)) == ["look-ahead"]


@pytest.mark.parametrize("name", strategies())
def test_what_ships_looks_nowhere_ahead(name: str) -> None:
    strategy = strategies()[name]
    assert kinds(strategy) == []
    assert kinds(strategy, FileContext().candles("AAPL").adjusted()) == []


@pytest.mark.parametrize(
    "target",
    [
        lambda bars: (series(bars).pct_change() > 0).to_numpy(),
        lambda bars: (series(bars) > series(bars).expanding().mean()).to_numpy(),
        lambda bars: (series(bars).ewm(span=20).mean() > bars.open).to_numpy(),
        lambda bars: np.zeros(len(bars), dtype=bool),
    ],
    ids=["change", "expanding", "ewm", "never"],
)
def test_what_knows_its_past_alone_is_not_suspected(target: Any) -> None:
    assert kinds(rule(target)) == []


def test_chance_is_told_from_looking_ahead() -> None:
    chance = np.random.default_rng(1)
    assert kinds(rule(lambda bars: chance.random(len(bars)) > 0.5)) == ["chance"]


def test_signals_before_the_warm_up_are_named_with_their_bar() -> None:
    hasty = rule(lambda bars: np.ones(len(bars), dtype=bool), warmup=30)
    [fault] = faults(hasty, Nothing(), BARS)
    assert (fault.kind, fault.bar) == ("warmup", 0)
    assert fault.message == "It holds after the close of 2020-01-01, bar 1, and warmup() says that it needs 30 before."


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            lambda bars: bars.close,
            f"target() gives {BARS.close[0]} after the close of 2020-01-01; it must be a number from -1 to 1.",
        ),
        (
            lambda bars: series(bars).pct_change().to_numpy(),
            "target() gives nan after the close of 2020-01-01; it must be a number from -1 to 1.",
        ),
        (
            lambda bars: list(bars.close > 0),
            "target() gives list; an array of bool, or of numbers from -1 to 1, is wanted.",
        ),
        (
            lambda bars: np.full(len(bars), "long"),
            "target() gives <U4; an array of bool, or of numbers from -1 to 1, is wanted.",
        ),
        (lambda bars: bars.close[1:] > 0, "target() gives (1499,) values for 1500 bars."),
    ],
)
def test_what_is_no_target_is_named(target: Any, said: str) -> None:
    [fault] = faults(rule(target), Nothing(), BARS)
    assert (fault.kind, fault.message) == ("output", said)


def test_shares_of_equity_are_judged_like_all_or_nothing() -> None:
    trend = rule(lambda bars: np.tanh(np.nan_to_num(series(bars).pct_change(20).to_numpy())), warmup=20)
    assert kinds(trend) == []
    ahead = rule(lambda bars: -np.tanh(np.nan_to_num(series(bars).pct_change(-1).to_numpy())))
    assert kinds(ahead) == ["look-ahead"]


def test_the_day_from_which_it_looks_ahead_is_named() -> None:
    def late(bars: Any) -> Any:
        ahead = np.append((bars.close > bars.open)[1:], False)
        return np.where(np.arange(len(bars)) < 1000, bars.close > bars.open, ahead)

    [fault] = faults(rule(late), Nothing(), BARS)
    assert fault.bar is not None
    assert fault.bar >= 1000
    assert str(BARS.day[fault.bar]) in fault.message
