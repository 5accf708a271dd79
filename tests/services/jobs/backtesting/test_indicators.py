"""Figures over windows are computed once, kept within bounds, and cannot be changed by who shares them."""

import numpy as np
import pytest

from services.jobs.backtesting.indicators import before, rolling
from services.jobs.market import candles
from services.jobs.market.candles import Bars


def bars(count: int = 6) -> Bars:
    price = np.arange(1.0, count + 1)
    return Bars(np.datetime64("2024-01-01") + np.arange(count), price, price + 1, price - 0.5, price)


def test_each_figure_is_that_of_its_window() -> None:
    np.testing.assert_allclose(rolling(bars(), "close", 3, "mean"), [np.nan, np.nan, 2, 3, 4, 5])
    np.testing.assert_allclose(rolling(bars(), "close", 3, "std"), [np.nan, np.nan, 1, 1, 1, 1])
    np.testing.assert_allclose(before(rolling(bars(), "high", 2, "max")), [np.nan, np.nan, 3, 4, 5, 6])


def test_it_is_computed_once_for_the_same_bars() -> None:
    mine = bars()
    assert rolling(mine, "close", 3, "mean") is rolling(mine, "close", 3, "mean")
    assert rolling(mine, "close", 3, "mean") is not rolling(mine, "low", 3, "mean")
    assert rolling(mine.until(4), "close", 3, "mean") is not rolling(mine, "close", 3, "mean")
    with pytest.raises(ValueError, match="read-only"):
        rolling(mine, "close", 3, "mean")[0] = 1.0


def test_the_oldest_is_given_up_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = bars()
    monkeypatch.setattr(candles, "MOST_KEPT_BYTES", 2 * mine.close.nbytes)
    first, second, third = (rolling(mine, "close", count, "mean") for count in (1, 2, 3))
    assert rolling(mine, "close", 3, "mean") is third
    assert rolling(mine, "close", 2, "mean") is second
    assert rolling(mine, "close", 1, "mean") is not first
