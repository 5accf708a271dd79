"""Equity next to that of two programs which share no code with ours: vectorbt, and backtesting.py bar by bar.

On shipped prices and on three sets that backtesting.py publishes. Neither is among the extras: vectorbt brings numba
and notebooks, and backtesting.py, under the AGPL, Bokeh. `.ci/peers` installs both beside `.venv`.
"""

import importlib
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.periods import calendar
from services.jobs.backtesting.simulate import simulate
from services.jobs.backtesting.strategy import Strategy
from services.jobs.backtesting.window import Window
from services.jobs.market.candles import Bars
from tests.programs import missing
from tests.services.jobs.fakes import FileContext

pytestmark = [pytest.mark.drill, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

#: So much money that a share is next to nothing: backtesting.py trades whole ones.
CASH = 1e13
SHIPPED, PUBLISHED = ("AAPL", "IBM"), ("GOOG", "EURUSD", "BTCUSD")
RULES: list[tuple[str, dict[str, Any]]] = [
    ("sma_cross", {"fast": 3, "slow": 8}),
    ("sma_cross", {"fast": 10, "slow": 30}),
    ("breakout", {"lookback": 20, "exit_lookback": 10}),
    ("mean_reversion", {"window": 20, "z": 1.5, "exit_z": 0.0}),
]
each_rule = pytest.mark.parametrize(("name", "parameters"), RULES, ids=[f"{name}-{own}" for name, own in RULES])


def peer(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing(f"{error.name} is not installed: .ci/peers does it")


def bars_of(name: str) -> Bars:
    if name in SHIPPED:
        return FileContext().candles(name).adjusted()
    frame = getattr(peer("backtesting.test"), name)
    columns = (frame[column].to_numpy(float) for column in ("Open", "High", "Low", "Close"))
    return Bars(frame.index.to_numpy(), *columns)


def wanted(name: str, parameters: dict[str, Any], bars: Bars) -> Any:
    strategy = strategies()[name]
    return strategy.target(bars, strategy.Parameters(**parameters)).astype(float)


def turned(target: Any, share: float) -> Any:
    """Short where it was flat, each with this share of equity; nothing before the first position."""
    known = np.maximum.accumulate(target) > 0
    return np.where(known, share * (2 * target - 1), 0.0)


def of_vectorbt(bars: Bars, target: Any, fee_bps: float, taken_over: float = 0.0) -> Any:
    share = np.concatenate(([taken_over], target[:-1]))
    changed = np.concatenate(([taken_over != 0], share[1:] != share[:-1]))
    price = np.concatenate((bars.close[:1], bars.open[1:]))
    portfolio = peer("vectorbt").Portfolio.from_orders(
        pd.Series(bars.close),
        size=pd.Series(np.where(changed, share, np.nan)),
        size_type="targetpercent",
        price=pd.Series(price),
        fees=fee_bps / 1e4,
        init_cash=CASH,
    )
    return portfolio.value().to_numpy()


def of_backtesting(bars: Bars, target: Any, fee_bps: float) -> Any:
    def follow(self: Any) -> None:
        now, before = target[len(self.data) - 1], target[len(self.data) - 2]
        if now != before or (len(self.data) == 2 and now):
            self.position.close()
            if now:
                # 1 would be a single share.
                (self.buy if now > 0 else self.sell)(size=min(abs(now), 1 - 1e-15))

    backtesting = peer("backtesting")
    rule = type("Follow", (backtesting.Strategy,), {"init": lambda _: None, "next": follow})
    prices = {"Open": bars.open, "High": bars.high, "Low": bars.low, "Close": bars.close}
    frame = pd.DataFrame(prices, index=pd.DatetimeIndex(bars.day))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of positions that are open at the end
        stats = backtesting.Backtest(frame, rule, cash=CASH, commission=fee_bps / 1e4).run()
    return stats["_equity_curve"]["Equity"].to_numpy()


def ours(bars: Bars, target: Any, fee_bps: float) -> Any:
    return simulate(bars, target, CASH, fee_bps).equity


@pytest.mark.parametrize("fee_bps", [0.0, 12.5])
@pytest.mark.parametrize("data", [*SHIPPED, *PUBLISHED])
@each_rule
def test_all_or_nothing(name: str, parameters: dict[str, Any], data: str, fee_bps: float) -> None:
    bars = bars_of(data)
    target = wanted(name, parameters, bars)
    assert (target != 0).any()
    equity = ours(bars, target, fee_bps)
    np.testing.assert_allclose(of_vectorbt(bars, target, fee_bps), equity, rtol=1e-9)
    np.testing.assert_allclose(of_backtesting(bars, target, fee_bps), equity, rtol=2e-6)


@pytest.mark.parametrize(("share", "fee_bps"), [(1.0, 0.0), (1.0, 12.5), (0.5, 0.0), (0.25, 0.0)])
@pytest.mark.parametrize("data", [*SHIPPED, *PUBLISHED])
@each_rule
def test_shorts_and_fractions(name: str, parameters: dict[str, Any], data: str, share: float, fee_bps: float) -> None:
    """Until one is ruined, if one is. With fees the peers' fractions are of equity before the fee: others than ours."""
    bars = bars_of(data)
    target = turned(wanted(name, parameters, bars), share)
    assert {*target[np.flatnonzero(target)].tolist()} == {share, -share}
    equity = ours(bars, target, fee_bps)
    alive = equity > 0
    peers = [(of_backtesting, 2e-6)] + ([(of_vectorbt, 1e-9)] if fee_bps == 0 else [])
    for equity_of, tolerance in peers:
        np.testing.assert_allclose(equity_of(bars, target, fee_bps)[alive], equity[alive], rtol=tolerance)


@pytest.mark.parametrize("fee_bps", [0.0, 12.5])
@pytest.mark.parametrize("share", [0.3, 0.7])
@pytest.mark.parametrize("data", [*SHIPPED, *PUBLISHED])
@each_rule
def test_a_window_takes_over_what_is_held(
    name: str, parameters: dict[str, Any], data: str, share: float, fee_bps: float
) -> None:
    history = bars_of(data)
    first = int(share * len(history))
    bars = history.since(first)
    days = Window(history, first, bars, calendar(history.day, bars.day), None)
    strategy: Strategy = strategies()[name]
    equity = days.run(strategy, strategy.Parameters(**parameters), CASH, fee_bps).equity
    target = wanted(name, parameters, history)
    theirs = of_vectorbt(bars, target[first:], fee_bps, taken_over=target[first - 1])
    # Its equity at the first close is after the fee, ours before.
    np.testing.assert_allclose(theirs[1:], equity[1:], rtol=1e-9)


@pytest.mark.sample
@pytest.mark.timeout(900)  # numba compiles what the first one calls, and CI's machine is busy
@pytest.mark.parametrize(
    ("data", "name", "parameters"),
    [
        ("AAPL", "sma_cross", {"fast": 10, "slow": 30}),
        ("GOOG", "breakout", {"lookback": 20, "exit_lookback": 10}),
        ("EURUSD", "mean_reversion", {"window": 20, "z": 1.5, "exit_z": 0.0}),
    ],
)
def test_a_sample_of_all_that(data: str, name: str, parameters: dict[str, Any]) -> None:
    """With and without fees, shorts and fractions, and a window with what was held before it: CI runs this one."""
    for fee_bps in (0.0, 12.5):
        test_all_or_nothing(name, parameters, data, fee_bps)
    for share, fee_bps in ((1.0, 12.5), (0.5, 0.0)):
        test_shorts_and_fractions(name, parameters, data, share, fee_bps)
    test_a_window_takes_over_what_is_held(name, parameters, data, 0.3, 12.5)
