"""Properties of fills and fees that must hold for any prices, not only for those we have."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.jobs.backtesting.found import strategies
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.periods import calendar
from services.jobs.backtesting.simulate import simulate
from services.jobs.backtesting.strategy import Strategy
from services.jobs.market.candles import Bars
from tests.services.jobs import independent

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


#: Moves so large that a short position is ruined by some of them.
wild = st.floats(-0.9, 0.9).map(lambda value: round(value, 2))
weight = st.sampled_from([-1.0, -0.6, -0.5, 0.0, 0.0, 0.3, 0.5, 1.0])
wishes = st.lists(st.tuples(st.tuples(wild, wild), weight), min_size=2, max_size=40)


@settings(max_examples=400, deadline=None)
@given(wanted=wishes, fee_bps=st.sampled_from([0.0, 10.0, 500.0]), taken_over=weight)
def test_shorts_and_fractions_agree_with_an_account_that_is_kept_bar_by_bar(
    wanted: list[tuple[tuple[float, float], float]], fee_bps: float, taken_over: float
) -> None:
    bars, target = bars_of([move for move, _ in wanted]), np.array([share for _, share in wanted])
    found = simulate(bars, target, 1000.0, fee_bps, taken_over=taken_over)
    account = independent.Account(bars.open.tolist(), bars.close.tolist(), fee_bps / 1e4, 1000.0)
    expected = account.run(target.tolist(), taken_over)
    np.testing.assert_allclose(found.equity, expected, rtol=1e-7, atol=1e-6)
    assert found.ruined == (expected.index(0.0) if 0.0 in expected else None)
    after = found.equity[-1] if found.ruined is None else 0.0
    assert np.prod(1 + found.trades.gain) == pytest.approx(after / 1000, rel=1e-7, abs=1e-9)
    assert len(found.held) == len(bars)
    if found.ruined is not None:
        assert not found.held[found.ruined :].any()


@settings(max_examples=100, deadline=None)
@given(moves=many_moves, held=st.lists(st.booleans(), min_size=60, max_size=60), fee_bps=st.sampled_from([0.0, 25.0]))
def test_all_or_nothing_is_the_same_as_booleans(moves: Moves, held: list[bool], fee_bps: float) -> None:
    bars, target = bars_of(moves), np.array(held[: len(moves)])
    one, other = (simulate(bars, each, 1000.0, fee_bps) for each in (target, target.astype(float)))
    np.testing.assert_array_equal(one.equity, other.equity)
    np.testing.assert_array_equal(one.trades.gain, other.trades.gain)


def test_a_short_position_gains_what_the_price_loses() -> None:
    bars = bars_of([(0.0, 0.0), (0.0, np.log(0.8)), (0.0, 0.0)])
    simulation = simulate(bars, np.array([-1.0, -1.0, 0.0]), 1000.0, 0.0)
    assert simulation.equity.tolist() == pytest.approx([1000.0, 1200.0, 1200.0])
    assert simulation.trades.side.tolist() == [-1]
    assert simulation.trades.last_is_open


def test_a_turn_is_two_trades_and_pays_both() -> None:
    bars = bars_of([(0.0, 0.0)] * 4)
    simulation = simulate(bars, np.array([1.0, -1.0, 0.0, 0.0]), 1000.0, 100.0)
    assert simulation.trades.side.tolist() == [1, -1]
    assert simulation.trades.gain.tolist() == pytest.approx([0.99 / 1.01 - 1, (1 - 0.01) / 1.01 - 1])
    assert simulation.equity[-1] == pytest.approx(1000 * (0.99 / 1.01) ** 2)


def test_a_position_that_grows_is_one_trade_and_pays_for_what_is_added() -> None:
    bars = bars_of([(0.0, 0.0)] * 4)
    simulation = simulate(bars, np.array([0.25, 0.5, 0.5, 0.5]), 1000.0, 100.0)
    # A quarter after the fee, then what is missing to the half of what that fee leaves.
    first = 1000 / (1 + 0.01 * 0.25)
    assert simulation.equity.tolist() == pytest.approx(
        [1000, first, *[first * (1 + 0.01 * 0.25) / (1 + 0.01 * 0.5)] * 2]
    )
    assert (len(simulation.trades), simulation.trades.entry.tolist()) == (1, [1])


def test_who_owes_more_than_there_is_is_out_of_the_market() -> None:
    bars = bars_of([(0.0, 0.0), (0.0, 0.0), (0.0, 0.8), (0.0, -3.0), (0.0, 0.0)])
    simulation = simulate(bars, np.array([-1.0] * 5), 1000.0, 0.0)
    assert simulation.equity.tolist() == [1000.0, 1000.0, 0.0, 0.0, 0.0]
    assert (simulation.ruined, simulation.trades.gain.tolist()) == (2, [-1.0])
    assert (simulation.trades.exit.tolist(), simulation.trades.last_is_open) == ([2], False)
    figures = metrics(simulation, calendar(bars.day, bars.day))
    assert (figures["total_return"], figures["max_drawdown"], figures["cagr"]) == (-1.0, -1.0, -1.0)
    assert figures["sharpe"] is not None


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
