"""Runs over several symbols: the median decides, and a figure that is missing counts as the lowest."""

from typing import Any

import numpy as np

from services.jobs.sweeping.ranking import OverSymbols, middle, over

NONE = np.nan


def ranking(*sharpes: float) -> OverSymbols:
    request: Any = type("Request", (), {"rank": "sharpe"})()
    return OverSymbols(request, {"sharpe": np.array(sharpes)})


def test_the_median_over_the_symbols_decides() -> None:
    made = over([ranking(3.0, 1.0, 0.1), ranking(-2.0, 1.2, 0.2), ranking(-1.0, 0.9, 0.3)])
    assert made.figures["sharpe"].tolist() == [-1.0, 1.0, 0.2]
    assert made.best_first() == [1, 2, 0]
    assert [made.place(number) for number in range(3)] == [3, 1, 2]
    assert made.medians() == {"sharpe": 0.2}


def test_no_run_is_the_better_for_not_trading() -> None:
    made = over([ranking(9.0, 0.1), ranking(NONE, 0.1)])
    assert np.isnan(made.figures["sharpe"][0])
    assert made.best_first() == [1, 0]
    made = over([ranking(9.0), ranking(NONE), ranking(1.0)])
    assert made.figures["sharpe"].tolist() == [1.0]


def test_the_figures_of_one_run_are_its_medians_in_the_same_way() -> None:
    symbols: list[dict[str, float | int | None]] = [
        {"sharpe": 1.0, "win_rate": None, "trades": 3},
        {"sharpe": 0.5, "win_rate": 0.5, "trades": 4},
    ]
    assert middle(symbols) == {"sharpe": 0.75, "win_rate": None, "trades": 3.5}
    assert middle([*symbols, {"sharpe": None, "win_rate": 0.25, "trades": 0}]) == {
        "sharpe": 0.5, "win_rate": 0.25, "trades": 3,
    }  # fmt: skip
