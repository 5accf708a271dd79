"""What a sweep says of each run is what a backtest of that run alone says."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import Sweep, combinations
from services.jobs.backtesting.metrics import metrics
from services.jobs.backtesting.periods import calendar
from services.jobs.backtesting.window import Window
from services.jobs.sweep import JOB
from services.jobs.sweeping.measures import MEASURES
from services.jobs.sweeping.scan import Scanned, scan
from tests.services.jobs.test_simulate import Moves, bars_of, many_moves

GRIDS: dict[str, dict[str, Any]] = {
    "sma_cross": {"fast": "1:3", "slow": "2,5"},
    "breakout": {"lookback": "2:5", "exit_lookback": "1,4"},
    "mean_reversion": {"window": "3,5", "z": "0.5,1", "exit_z": "0,0.5"},
}
RANKS = get_args(Sweep.model_fields["rank"].annotation)


def days_of(moves: Moves) -> Window:
    bars = bars_of(moves)
    return Window(bars, 0, bars, calendar(bars.day, bars.day), None)


def scanned(days: Window, strategy: str, **more: Any) -> Scanned:
    request: Any = found().usable[strategy].Sweep(symbol="A", strategy=strategy, **GRIDS[strategy], **more)
    runs = list(combinations(strategies()[strategy], request))
    return scan(days, strategies()[strategy], runs, request, lambda: None)


@settings(max_examples=60, deadline=None)
@given(
    moves=many_moves,
    strategy=st.sampled_from(sorted(GRIDS)),
    rank=st.sampled_from(RANKS),
    fee_bps=st.sampled_from([0.0, 12.0]),
)
def test_every_figure_is_that_of_a_backtest(moves: Moves, strategy: str, rank: str, fee_bps: float) -> None:
    days = days_of(moves)
    made = scanned(days, strategy, rank=rank, fee_bps=fee_bps)
    assert {*made.figures} == {"sharpe", "total_return", rank}
    for number, chosen in enumerate(made.runs):
        alone = metrics(days.run(strategies()[strategy], chosen, 10_000.0, fee_bps), days.calendar)
        assert alone == made.metrics(number)
        for name, values in made.figures.items():
            expected = alone[name]
            if expected is None or abs(expected) > 1e6:  # all but no deviation: rounding decides
                continue
            assert values[number] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_every_rank_has_its_measure() -> None:
    assert {*RANKS} == {*MEASURES}


def test_places_begin_with_the_best_and_those_without_a_figure_are_last() -> None:
    days = days_of([(0.0, 0.01), (0.01, -0.02), (0.0, 0.03)])
    figures = {"sharpe": np.array([0.5, np.nan, 1.5, 0.5]), "total_return": np.zeros(4)}
    request: Any = found().usable["breakout"].Sweep(symbol="A", strategy="breakout")
    made = Scanned(days, strategies()["breakout"], [None] * 4, request, figures)
    assert made.best_first() == [2, 0, 3, 1]
    assert [made.place(number) for number in range(4)] == [2, 4, 1, 2]
    assert made.medians() == {"sharpe": 0.5, "total_return": 0.0}


def test_runs_that_never_traded_have_no_luck() -> None:
    made = scanned(days_of([(0.0, 0.0)] * 20), "breakout")
    assert made.luck(0) == {"trials": 0, "sharpe_by_luck": 0.0, "deflated_sharpe": None}
    assert made.medians()["sharpe"] is None


def test_one_that_waits_in_the_queue_since_before_the_holdout_still_runs() -> None:
    assert JOB.accepts == (1,)
    assert JOB.normalise({"symbol": "A", "strategy": "breakout"})["holdout"] == 0.3
