"""How much of the best of many runs is luck: the deflated Sharpe ratio.

D. H. Bailey and M. López de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting, and
Non-Normality", Journal of Portfolio Management 40 (5), 2014, pp. 94-107. Sharpe ratios here are those of one bar,
not of a year.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EULER_MASCHERONI = 0.5772156649015329
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Shape:
    """Returns of one run: how many, and their moments; ``kurtosis`` of a normal distribution is 3."""

    count: int
    sharpe: float
    skewness: float
    kurtosis: float


def shape(returns: "NDArray[np.float64]") -> Shape | None:
    """None where there is no Sharpe ratio: too few returns, or all alike."""
    if len(returns) < 3:
        return None
    deviations = returns - returns.mean()
    variance = float((deviations**2).mean())
    if variance <= 0:
        return None
    skewness = float((deviations**3).mean()) / variance**1.5
    kurtosis = float((deviations**4).mean()) / variance**2
    return Shape(len(returns), float(returns.mean() / returns.std(ddof=1)), skewness, kurtosis)


def by_luck(trials: int, deviation: float) -> float:
    """The Sharpe ratio expected of the best of so many ``trials`` that are worth nothing; equation 1 of the paper.

    ``deviation`` is the standard deviation of their Sharpe ratios.
    """
    if trials < 2:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return deviation * ((1 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second)


def deflated(run: Shape, benchmark: float) -> float | None:
    """The probability that the run's true Sharpe ratio is above ``benchmark``; equation 2 of the paper.

    None where the moments admit no standard error.
    """
    variance = 1 - run.skewness * run.sharpe + (run.kurtosis - 1) / 4 * run.sharpe**2
    if variance <= 0:
        return None
    return _NORMAL.cdf((run.sharpe - benchmark) * math.sqrt(run.count - 1) / math.sqrt(variance))
