"""Figures over windows of bars, computed once for each window, whatever number of runs uses them."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

Price = Literal["open", "high", "low", "close"]
Figure = Literal["mean", "std", "max", "min"]


def rolling(bars: "Bars", price: Price, count: int, figure: Figure) -> "NDArray[np.float64]":
    """The figure of each bar's ``price`` and those of the bars before it, ``count`` in all; NaN where there are fewer.

    The standard deviation has ddof 1. The array is shared: it cannot be written to.
    """

    def compute() -> "NDArray[np.float64]":
        import numpy as np
        import pandas as pd

        window = pd.Series(getattr(bars, price)).rolling(count)
        return np.array(getattr(window, figure)())

    return bars.kept((price, count, figure), compute)


def before(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Of each bar the figure of the one before it; the first has none."""
    import numpy as np

    return np.concatenate(([np.nan], values[:-1]))
