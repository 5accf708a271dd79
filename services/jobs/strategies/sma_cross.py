"""Hold while the fast simple moving average of the close is above the slow one."""

from typing import TYPE_CHECKING

from pydantic import Field, ValidationInfo, field_validator

from services.common.jobtypes import Payload
from services.jobs.backtesting.indicators import rolling
from services.jobs.backtesting.strategy import Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

# Two averages of the same constant price differ by rounding; that is not a crossing.
ROUNDING = 1e-12


class SmaCross(Payload):
    """Window lengths in bars."""

    fast: int = Field(10, ge=1, le=1000, description="bars in the fast average")
    slow: int = Field(30, ge=2, le=1000, description="bars in the slow average", validate_default=True)

    @field_validator("slow")
    @classmethod
    def _slower(cls, slow: int, info: ValidationInfo) -> int:
        if "fast" in info.data and slow <= info.data["fast"]:
            raise ValueError(f"must be greater than fast ({info.data['fast']})")
        return slow


def target(bars: "Bars", parameters: SmaCross) -> "NDArray[np.bool_]":
    fast, slow = (rolling(bars, "close", count, "mean") for count in (parameters.fast, parameters.slow))
    above: NDArray[np.bool_] = fast > slow * (1 + ROUNDING)
    return above


def warmup(parameters: SmaCross) -> int:
    return parameters.slow - 1


STRATEGY = Strategy("sma_cross", SmaCross, target, warmup)
