"""Buy when the close is far below its recent mean, in standard deviations; sell when it is back."""

from typing import TYPE_CHECKING

from pydantic import Field, ValidationInfo, field_validator

from services.common.jobtypes import Payload
from services.jobs.backtesting.indicators import rolling
from services.jobs.backtesting.signals import hold_between
from services.jobs.backtesting.strategy import Strategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars


class MeanReversion(Payload):
    """Distances are in standard deviations (ddof 1) of the close over ``window`` bars, this one included."""

    window: int = Field(20, ge=3, le=1000, description="bars of the mean and the deviation")
    z: float = Field(1.5, gt=0, le=10, description="buy this many deviations below the mean")
    exit_z: float = Field(
        0.0, ge=-10, le=10, description="sell this many deviations above the mean", validate_default=True
    )

    @field_validator("exit_z")
    @classmethod
    def _above_entry(cls, exit_z: float, info: ValidationInfo) -> float:
        if "z" in info.data and exit_z <= -info.data["z"]:
            raise ValueError(f"must be greater than -z (-{info.data['z']:g}), or every buy is sold at once")
        return exit_z


def target(bars: "Bars", parameters: MeanReversion) -> "NDArray[np.bool_]":
    import numpy as np

    mean, deviation = (rolling(bars, "close", parameters.window, figure) for figure in ("mean", "std"))
    with np.errstate(divide="ignore", invalid="ignore"):
        # A price that did not move has no distance from its mean.
        distance = np.where(deviation > 1e-12 * mean, (bars.close - mean) / deviation, np.nan)
    return hold_between(distance <= -parameters.z, distance >= parameters.exit_z)


def warmup(parameters: MeanReversion) -> int:
    return parameters.window - 1


STRATEGY = Strategy("mean_reversion", MeanReversion, target, warmup)
