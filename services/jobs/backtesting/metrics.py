"""How a backtest went, computed once, from its equity curve."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.backtesting.periods import Calendar
    from services.jobs.backtesting.simulate import Simulation

Metrics = dict[str, float | int | None]


def metrics(simulation: "Simulation", calendar: "Calendar") -> Metrics:
    """Fractions (0.1 is 10 %) and ratios; ``None`` where a figure does not exist: the Sharpe of no trade.

    Each is defined in docs/figures.md. Returns are those between consecutive closes; risk-free 0, ddof 1.
    """
    import empyrical
    import numpy as np

    equity, gains = simulation.equity, simulation.trades.gain
    returns = returns_of(equity)
    if len(returns) == 0:
        returns = np.zeros(1)
    per_year = calendar.periods_per_year
    with np.errstate(all="ignore"):
        total = float(empyrical.cum_returns_final(returns))
        return {
            "total_return": _number(total),
            "cagr": annual(total, calendar.years),
            "sharpe": _number(empyrical.sharpe_ratio(returns, risk_free=0, annualization=per_year)),
            "sortino": _number(empyrical.sortino_ratio(returns, required_return=0, annualization=per_year)),
            "max_drawdown": _number(empyrical.max_drawdown(returns)),
            "volatility": _number(empyrical.annual_volatility(returns, annualization=per_year)),
            "exposure": _number(simulation.held.mean()),
            "trades": len(gains),
            "win_rate": _number((gains > 0).mean()) if len(gains) else None,
            "final_equity": _number(equity[-1]),
        }


def returns_of(equity: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """From each close to the next; 0 after an account was ruined."""
    import numpy as np

    before, after = equity[:-1], equity[1:]
    if equity[-1] > 0:
        return after / before - 1
    return np.divide(after, before, out=np.ones(len(before)), where=before > 0) - 1


def annual(total: float, years: float) -> float | None:
    """The same growth every calendar year; None where it is too large for a number, or no time has passed."""
    try:
        return _number((1 + total) ** (1 / years) - 1)
    except (OverflowError, ZeroDivisionError):
        return None


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
