"""A table of two parameters."""

from typing import Any

from services.jobs.backtesting.found import found, strategies
from services.jobs.backtesting.grid import combinations
from services.jobs.sweeping.heat import heat


def table(values: list[float], **grid: Any) -> Any:
    request: Any = found().usable["sma_cross"].Sweep(symbol="A", strategy="sma_cross", **grid)
    runs = list(combinations(strategies()["sma_cross"], request))
    return heat(strategies()["sma_cross"], request, runs, values)


def test_rows_and_columns_are_the_two_parameters() -> None:
    # 20 and 10 is no crossing, and has no run.
    assert table([0.123456, 2.0, float("nan")], fast="5,20", slow="10,30") == {
        "rows": {"name": "fast", "values": [5, 20]},
        "columns": {"name": "slow", "values": [10, 30]},
        "cells": [[0.1235, 2.0], [None, None]],
    }


def test_one_parameter_alone_makes_no_table() -> None:
    assert table([1.0, 2.0], fast="5,6", slow=30) is None
