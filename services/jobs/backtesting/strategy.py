"""The strategy interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars


@dataclass(frozen=True)
class Strategy:
    """A long-or-flat rule.

    ``target(bars, parameters)`` says for every bar, knowing only that bar and those before it, whether to
    hold the symbol after that bar's close: a boolean array as long as the bars. ``warmup(parameters)`` is the number of
    bars that must have passed before the first bar at whose close it can give a signal.
    """

    name: str
    Parameters: type[BaseModel]
    target: "Callable[[Bars, Any], NDArray[np.bool_]]"
    warmup: Callable[[Any], int]
