"""The strategy interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

    Target = NDArray[np.bool_] | NDArray[np.float64]


@dataclass(frozen=True)
class Strategy:
    """A rule what to hold.

    ``target(bars, parameters)`` says for every bar, knowing only that bar and those before it, what to hold after that
    bar's close: an array as long as the bars. Booleans mean all or nothing; numbers are the share of equity, from -1,
    all of it sold short, to 1. ``warmup(parameters)`` is the number of bars that must have passed before the first bar
    at whose close it can give a signal.
    """

    name: str
    Parameters: type[BaseModel]
    target: "Callable[[Bars, Any], Target]"
    warmup: Callable[[Any], int]


def malformed(target: Any, bars: "Bars") -> str | None:
    """The fault in an output of ``target``, as a sentence; None where there is none."""
    import numpy as np

    kind = target.dtype if isinstance(target, np.ndarray) else type(target).__name__
    if not isinstance(target, np.ndarray) or not (target.dtype == np.bool_ or np.issubdtype(target.dtype, np.number)):
        return f"target() gives {kind}; an array of bool, or of numbers from -1 to 1, is wanted."
    if target.shape != (len(bars),):
        return f"target() gives {target.shape} values for {len(bars)} bars."
    if target.dtype != np.bool_ and len(outside := np.flatnonzero(~(np.abs(target) <= 1))):
        at = int(outside[0])
        return f"target() gives {target[at]} after the close of {bars.day[at]}; it must be a number from -1 to 1."
    return None
