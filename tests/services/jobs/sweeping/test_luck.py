"""The deflated Sharpe ratio, against the numbers of the paper and a draw of runs that are worth nothing."""

import math

import numpy as np
import pytest

from services.jobs.sweeping.luck import Shape, by_luck, deflated, shape

#: The paper's example: five years of daily returns, Sharpe ratios of a year with a variance of 1/2 among the trials.
PER_YEAR = 250
DEVIATION = math.sqrt(0.5 / PER_YEAR)
SHARPE = 2.5 / math.sqrt(PER_YEAR)


def test_the_numbers_of_the_paper() -> None:
    benchmark = by_luck(100, DEVIATION)
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    assert deflated(Shape(1250, SHARPE, -3, 10), benchmark) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(("trials", "skewness", "kurtosis"), [(46, -3, 10), (88, 0, 3)])
def test_so_many_trials_are_the_most_for_95_percent(trials: int, skewness: float, kurtosis: float) -> None:
    run = Shape(1250, SHARPE, skewness, kurtosis)
    assert deflated(run, by_luck(trials, DEVIATION)) == pytest.approx(0.9505, abs=5e-5)
    assert deflated(run, by_luck(trials + 3, DEVIATION)) < 0.95  # type: ignore[operator]


def test_the_best_of_many_that_are_worth_nothing_is_as_good_as_is_foretold() -> None:
    drawn = np.random.default_rng(1).normal(0.0, 0.02, size=(2000, 500))
    assert by_luck(500, 0.02) == pytest.approx(drawn.max(axis=1).mean(), rel=0.01)


def test_one_trial_had_no_choice() -> None:
    assert by_luck(1, 0.3) == by_luck(0, 0.0) == 0.0
    assert deflated(Shape(1000, 0.0, 0, 3), 0.0) == 0.5
    # The better one of two is 0.564 deviations above the mean; the formula is for many, and has 0.52.
    assert by_luck(2, 1.0) == pytest.approx(0.5197, abs=1e-3)


def test_moments_are_those_of_the_returns() -> None:
    returns = np.array([0.01, -0.01, 0.01, -0.01, 0.04])
    found = shape(returns)
    assert found is not None
    deviations = returns - returns.mean()
    spread = math.sqrt((deviations**2).mean())
    assert found.count == 5
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert found.skewness == pytest.approx(((deviations / spread) ** 3).mean())
    assert found.kurtosis == pytest.approx(((deviations / spread) ** 4).mean())


def test_what_has_no_sharpe_ratio_has_no_moments() -> None:
    assert shape(np.zeros(100)) is None
    assert shape(np.array([0.01, 0.02])) is None
    assert shape(np.array([0.01, 0.02, 0.04])) is not None
    # A return so skewed that no standard error exists.
    assert deflated(Shape(10, 2.0, 3.0, 4.0), 0.0) is None
