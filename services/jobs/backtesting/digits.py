"""Figures of a result, rounded to significant digits: a price of 0.0000013 has as many as one of 1300."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIGITS = 10


def significant(values: "NDArray[np.float64]", digits: int = DIGITS) -> list[float]:
    """The finite ``values`` with so many significant digits, as JSON writes them."""
    return [float(f"{value:.{digits}g}") for value in values.tolist()]
