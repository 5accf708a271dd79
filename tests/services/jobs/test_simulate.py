"""Properties of fills and fees that must hold for any prices, not only for those we have."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.simulate import simulate
from services.jobs.backtesting.strategy import Strategy
from services.jobs.market.candles import Bars

Moves = list[tuple[float, float]]


def bars_of(moves: Moves) -> Bars:
    """Bars from moves (close to open, open to close), with honest highs and lows."""
    opens, closes, last = [], [], 100.0
    for gap, move in moves:
        opens.append(last * np.exp(gap))
        closes.append(opens[-1] * np.exp(move))
        last = closes[-1]
    opened, closed = np.array(opens), np.array(closes)
    day = np.datetime64("2020-01-01") + np.arange(len(moves))
    return Bars(day, opened, np.maximum(opened, closed), np.minimum(opened, closed), closed)


def window(bars: Bars, count: int) -> Bars:
    return Bars(*(getattr(bars, name)[:count] for name in ("day", "open", "high", "low", "close")))


small: dict[str, dict[str, Any]] = {
    "sma_cross": {"fast": 2, "slow": 5},
    "breakout": {"lookback": 4, "exit_lookback": 2},
    "mean_reversion": {"window": 4, "z": 0.8},
}
move = st.floats(-0.3, 0.3).map(lambda value: round(value, 3))
many_moves = st.lists(st.tuples(move, move), min_size=2, max_size=60)
any_strategy = st.sampled_from(sorted(small)).map(strategies().__getitem__)


@settings(max_examples=200, deadline=None)
@given(moves=many_moves, other=many_moves, share=st.floats(0.1, 1.0), strategy=any_strategy)
def test_future_bars_never_change_past_equity(moves: Moves, other: Moves, share: float, strategy: Strategy) -> None:
    keep = max(1, int(share * len(moves)))
    parameters = strategy.Parameters(**small[strategy.name])
    whole, changed = bars_of(moves), bars_of(moves[:keep] + other)
    curves = [simulate(bars, strategy.target(bars, parameters), 1000.0, 10.0).equity for bars in (whole, changed)]
    np.testing.assert_array_equal(curves[0][:keep], curves[1][:keep])


@settings(max_examples=100, deadline=None)
@given(moves=many_moves, strategy=any_strategy, scale=st.floats(0.01, 100.0))
def test_equity_scales_with_cash_and_fees_only_cost(moves: Moves, strategy: Strategy, scale: float) -> None:
    bars = bars_of(moves)
    target = strategy.target(bars, strategy.Parameters(**small[strategy.name]))
    free = simulate(bars, target, 1000.0, 0.0)
    np.testing.assert_allclose(simulate(bars, target, 1000.0 * scale, 0.0).equity, free.equity * scale, rtol=1e-9)
    assert (simulate(bars, target, 1000.0, 25.0).equity <= free.equity * (1 + 1e-12)).all()


def test_signal_of_a_close_fills_at_the_next_open() -> None:
    bars = bars_of([(0.0, 0.0), (0.0, 0.1), (0.2, 0.3), (0.1, -0.1)])
    target = np.array([False, True, False, False])
    simulation = simulate(bars, target, 100.0, 0.0)
    # Bought at the third open, sold at the fourth: the third bar's move and the last gap are ours, no more.
    assert simulation.equity.tolist() == pytest.approx([100.0, 100.0, 100 * np.exp(0.3), 100 * np.exp(0.4)])
    assert (simulation.trades.entry.tolist(), simulation.trades.exit.tolist()) == ([2], [3])


def test_each_side_costs_its_fee() -> None:
    bars = bars_of([(0.0, 0.0)] * 4)
    simulation = simulate(bars, np.array([True, True, False, False]), 1000.0, 100.0)
    assert simulation.equity[1] == pytest.approx(1000 / 1.01)
    assert simulation.equity[3] == pytest.approx(1000 / 1.01 * 0.99)
    assert simulation.trades.gain.tolist() == pytest.approx([0.99 / 1.01 - 1])


def test_position_open_at_the_end_is_valued_at_the_last_close() -> None:
    bars = bars_of([(0.0, 0.0), (0.0, 0.0), (0.0, 0.5)])
    simulation = simulate(bars, np.array([False, True, True]), 10.0, 0.0)
    assert simulation.trades.last_is_open
    assert simulation.trades.exit.tolist() == [2]
    assert simulation.equity[-1] == pytest.approx(10 * np.exp(0.5))


def test_a_split_is_no_loss() -> None:
    """AAPL closed at 111.25 and, after its 2:1 split, opened at 50.5 on 2000-06-21."""
    from tests.services.jobs.fakes import FileContext

    bars = FileContext().candles("AAPL").adjusted()
    at = int(np.flatnonzero(bars.day == np.datetime64("2000-06-21"))[0])
    assert abs(bars.close[at] / bars.close[at - 1] - 1) < 0.15
