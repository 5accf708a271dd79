"""How a backtest went, computed once, from its equity curve."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.jobs.backtesting.simulate import Simulation

PERIODS_PER_YEAR = 252

Metrics = dict[str, float | int | None]


def metrics(simulation: "Simulation") -> Metrics:
    """Fractions (0.1 is 10 %) and ratios; ``None`` where a figure does not exist: the Sharpe of no trade.

    Daily returns are those between consecutive closes; risk-free 0, 252 periods a year, ddof 1.
    """
    import empyrical
    import numpy as np

    equity, gains = simulation.equity, simulation.trades.gain
    returns = equity[1:] / equity[:-1] - 1
    if len(returns) == 0:
        returns = np.zeros(1)
    with np.errstate(all="ignore"):
        return {
            "total_return": _number(empyrical.cum_returns_final(returns)),
            "cagr": _number(empyrical.cagr(returns, annualization=PERIODS_PER_YEAR)),
            "sharpe": _number(empyrical.sharpe_ratio(returns, risk_free=0, annualization=PERIODS_PER_YEAR)),
            "sortino": _number(empyrical.sortino_ratio(returns, required_return=0, annualization=PERIODS_PER_YEAR)),
            "max_drawdown": _number(empyrical.max_drawdown(returns)),
            "volatility": _number(empyrical.annual_volatility(returns, annualization=PERIODS_PER_YEAR)),
            "exposure": _number(simulation.held.mean()),
            "trades": len(gains),
            "win_rate": _number((gains > 0).mean()) if len(gains) else None,
            "final_equity": _number(equity[-1]),
        }


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
