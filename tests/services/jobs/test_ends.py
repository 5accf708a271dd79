"""Where a backtest ends, and where a range of parameters does: what is counted, and what is left out."""

import numpy as np
import pytest

from services.jobs.backtesting.grid import spread
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.periods import Calendar
from services.jobs.backtesting.simulate import Simulation, Trades, simulate
from services.jobs.market.candles import Bars


def bars(opens: list[float], closes: list[float]) -> Bars:
    opened, closed = np.array(opens), np.array(closes)
    day = np.datetime64("2020-01-01") + np.arange(len(opens))
    return Bars(day, opened, np.maximum(opened, closed), np.minimum(opened, closed), closed)


@pytest.mark.parametrize(
    ("gains", "rate"), [([0.0], 0.0), ([0.1, 0.0], 0.5), ([0.1, -0.1, 0.0, 1e-12], 0.5), ([-0.1], 0.0), ([], None)]
)
def test_a_trade_without_gain_is_no_win(gains: list[float], rate: float | None) -> None:
    held, at = np.array([True, True]), np.zeros(len(gains), np.intp)
    prices = np.ones(len(gains))
    trades = Trades(at, at, prices, prices, np.array(gains), np.ones(len(gains), int), False)
    found = metrics(Simulation(np.array([1000.0, 1001.0]), held, trades, None), Calendar(252.0, 1.0))
    assert (found["win_rate"], found["trades"]) == (rate, len(gains))


def test_a_trade_that_is_open_at_the_end_is_valued_at_the_last_close() -> None:
    prices = bars([100.0, 100.0, 110.0], [100.0, 105.0, 130.0])
    found = simulate(prices, np.array([True, True, True]), 1000.0, 0.0)
    assert found.trades.last_is_open
    assert found.trades.gain.tolist() == pytest.approx([0.3])
    assert (found.trades.entry.tolist(), found.trades.exit.tolist()) == ([1], [2])
    assert (found.trades.entry_price.tolist(), found.trades.exit_price.tolist()) == ([100.0], [130.0])
    assert found.equity[-1] == pytest.approx(1300.0)


def test_a_trade_that_was_closed_is_valued_at_the_open_that_it_was_sold_at() -> None:
    prices = bars([100.0, 100.0, 110.0], [100.0, 105.0, 130.0])
    found = simulate(prices, np.array([True, False, False]), 1000.0, 100.0)
    assert not found.trades.last_is_open
    assert found.trades.gain.tolist() == pytest.approx([110 * 0.99 / (100 * 1.01) - 1])
    assert found.equity[-1] == pytest.approx(1000 * 110 * 0.99 / (100 * 1.01))


@pytest.mark.parametrize(
    ("written", "count", "last"),
    [
        ("0:1:0.1", 11, 1.0),
        ("0:0.3:0.1", 4, 0.3),
        ("0.1:0.7:0.1", 7, 0.7),
        ("1:2:0.2", 6, 2.0),
        ("0:1:0.3", 4, 0.9),
        ("10:50:5", 9, 50.0),
        ("1:3", 3, 3.0),
        ("5:5:1", 1, 5.0),
        ("0:1:2", 1, 0.0),
    ],
)
def test_a_range_has_both_its_ends(written: str, count: int, last: float) -> None:
    values = spread(written)
    assert (len(values), values[-1]) == (count, last)
    assert values == sorted(set(values))
