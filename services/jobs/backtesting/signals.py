"""Turning moments to buy and to sell into a position held between them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def hold_between(buy: "NDArray[np.bool_]", sell: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """True from each buy until the next sell; where a bar says both, it sells. Arrays of one length."""
    import numpy as np

    marked = buy | sell
    latest = np.maximum.accumulate(np.where(marked, np.arange(len(buy)), -1))
    held: NDArray[np.bool_] = np.where(latest >= 0, (buy & ~sell)[np.maximum(latest, 0)], False)
    return held
