"""Which bars choose, which are traded, and one account that trades them all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.jobtypes import JobFailure
from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import WalkForward, combinations
from services.jobs.backtesting.periods import calendar
from services.jobs.backtesting.simulate import simulate
from services.jobs.backtesting.window import Window
from services.jobs.market.candles import Bars
from services.jobs.sweeping.folds import MOST_FOLDS, Fold, folds, walked
from tests.services.jobs.sweeping.test_scan import GRIDS, days_of
from tests.services.jobs.test_simulate import Moves, many_moves

SMALLEST = {"train_bars": 20, "test_bars": 5}


def asked(**more: Any) -> WalkForward:
    return WalkForward(symbol="A", **more)


def flat(count: int, step: str = "D") -> Window:
    day = np.arange(count).astype(f"datetime64[{step}]")
    bars = Bars(day, *(np.full(count, 10.0),) * 4)
    return Window(bars, 0, bars, calendar(day, day), None)


@given(
    bars=st.integers(22, 300),
    train=st.integers(20, 60),
    test=st.integers(2, 40),
    anchored=st.booleans(),
)
def test_each_bar_after_the_first_choice_is_traded_once(bars: int, train: int, test: int, anchored: bool) -> None:
    if bars - train < 2:
        return
    made = folds(flat(bars), asked(train_bars=train, test_bars=test, anchored=anchored))
    assert [number for fold in made for number in range(fold.at, fold.end)] == list(range(train, bars))
    assert {fold.end - fold.at for fold in made[:-1]} <= {test}
    assert 2 <= made[-1].end - made[-1].at <= test + 1
    assert all(fold.first == (0 if anchored else fold.at - train) for fold in made)


def test_one_bar_at_the_end_is_no_fold_of_its_own() -> None:
    assert folds(flat(31), asked(**SMALLEST)) == [Fold(0, 20, 25), Fold(5, 25, 31)]
    assert folds(flat(32), asked(**SMALLEST))[-1] == Fold(10, 30, 32)


def test_a_fold_begins_with_the_first_bar_of_a_day() -> None:
    """So that a sweep or a backtest of these days is what it says."""
    made = folds(flat(24 * 4, "h"), asked(train_bars=30, test_bars=30))
    assert made == [Fold(0, 24, 48), Fold(0, 48, 72), Fold(24, 72, 96)]


@pytest.mark.parametrize("bars", [2, 20, 21])
def test_nothing_to_trade_on_is_said(bars: int) -> None:
    with pytest.raises(JobFailure, match=f"A has {bars} bars, and the first 20 of them choose: too few are left"):
        folds(flat(bars), asked(**SMALLEST))
    assert len(folds(flat(22), asked(**SMALLEST))) == 1


def test_more_choices_than_anybody_means_are_refused() -> None:
    many = 20 + 2 * MOST_FOLDS
    assert len(folds(flat(many), asked(train_bars=20, test_bars=2))) == MOST_FOLDS
    with pytest.raises(JobFailure, match=f"2 at a time, are {MOST_FOLDS + 1} choices; {MOST_FOLDS} are allowed"):
        folds(flat(many + 2), asked(train_bars=20, test_bars=2))


@settings(max_examples=40)
@given(
    moves=many_moves,
    strategy=st.sampled_from(sorted(GRIDS)),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    fee_bps=st.sampled_from([0.0, 12.0]),
)
def test_one_run_chosen_each_time_is_one_run(moves: Moves, strategy: str, sizes: list[int], fee_bps: float) -> None:
    """Wherever the folds are cut: no bar is left out, none is counted twice, and no cut costs anything."""
    days, own = days_of(moves), strategies()[strategy]
    count = len(days.bars)
    if count < 4:
        return
    payload: Any = found().usable[strategy].Sweep(symbol="A", strategy=strategy, **GRIDS[strategy])
    chosen = next(combinations(own, payload))
    starts = sorted({min(1 + sum(sizes[:number]), count - 1) for number in range(len(sizes))})
    cuts = [Fold(0, at, end) for at, end in zip(starts, [*starts[1:], count], strict=True)]
    whole, made = walked(days, [(cut, chosen) for cut in cuts], own, 100.0, fee_bps)
    assert np.array_equal(whole.bars.day, days.bars.day)
    expected = simulate(days.bars, own.target(days.history, chosen).astype(float), 100.0, fee_bps)
    assert made.equity == pytest.approx(expected.equity, rel=1e-9)
    assert len(made.trades) == len(expected.trades)
