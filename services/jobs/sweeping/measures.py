"""Figures that runs of a sweep are ranked by, quickly: thousands of runs need one or two, and ``metrics`` gives ten.

Each agrees with the figure of that name in ``metrics``; NaN or infinite where there is none.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from services.jobs.backtesting.metrics import annual

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.backtesting.periods import Calendar

    Floats = NDArray[np.float64]


def _sharpe(_equity: "Floats", returns: "Floats", calendar: "Calendar") -> float:
    if len(returns) < 2:
        return math.nan
    mean = returns.sum() / len(returns)
    deviations = returns - mean
    variance = float(deviations @ deviations) / (len(returns) - 1)
    return float(mean) / math.sqrt(variance) * math.sqrt(calendar.periods_per_year) if variance > 0 else math.nan


def _sortino(_equity: "Floats", returns: "Floats", calendar: "Calendar") -> float:
    import numpy as np

    losses = np.minimum(returns, 0.0)
    below = math.sqrt(float(losses @ losses) / len(returns)) if len(returns) else 0.0
    return float(returns.mean()) / below * math.sqrt(calendar.periods_per_year) if below > 0 else math.nan


def _total_return(equity: "Floats", _returns: "Floats", _calendar: "Calendar") -> float:
    return float(equity[-1] / equity[0] - 1)


def _max_drawdown(equity: "Floats", _returns: "Floats", _calendar: "Calendar") -> float:
    import numpy as np

    return float((equity / np.maximum.accumulate(equity)).min() - 1)


def _cagr(equity: "Floats", returns: "Floats", calendar: "Calendar") -> float:
    found = annual(_total_return(equity, returns, calendar), calendar.years)
    return math.nan if found is None else found


#: From equity, the returns between its values, and the calendar.
MEASURES: dict[str, Callable[["Floats", "Floats", "Calendar"], float]] = {
    "sharpe": _sharpe,
    "sortino": _sortino,
    "total_return": _total_return,
    "cagr": _cagr,
    "max_drawdown": _max_drawdown,
}
