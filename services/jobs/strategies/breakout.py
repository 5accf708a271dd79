"""Buy a close above the highest high of the bars before it; sell a close below their lowest low."""

from typing import TYPE_CHECKING

from pydantic import Field

from services.common.jobtypes import Payload
from services.jobs.backtesting.indicators import before, rolling
from services.jobs.backtesting.signals import hold_between
from services.jobs.backtesting.strategy import Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars


class Breakout(Payload):
    """Window lengths in bars; the bar that breaks out is not part of its own window."""

    lookback: int = Field(20, ge=1, le=1000, description="bars whose highest high must be passed to buy")
    exit_lookback: int = Field(10, ge=1, le=1000, description="bars whose lowest low must be passed to sell")


def target(bars: "Bars", parameters: Breakout) -> "NDArray[np.bool_]":
    ceiling = before(rolling(bars, "high", parameters.lookback, "max"))
    floor = before(rolling(bars, "low", parameters.exit_lookback, "min"))
    return hold_between(bars.close > ceiling, bars.close < floor)


def warmup(parameters: Breakout) -> int:
    """To sell needs no more: what was not bought is not sold."""
    return parameters.lookback


STRATEGY = Strategy("breakout", Breakout, target, warmup)
