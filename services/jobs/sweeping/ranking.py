"""Which of many runs is the best by one figure, over one symbol or several."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.jobs.backtesting.metrics import Metrics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.backtesting.grid import Ranked

    Floats = NDArray[np.float64]


class Ranking:
    """Runs by their numbers; ``figures`` has an array for each measure, NaN where a run has none."""

    request: "Ranked"
    figures: "dict[str, Floats]"

    @property
    def ranked(self) -> "Floats":
        """The figure that runs are ranked by; a run without it, such as one that never traded, comes last."""
        return _lowest(self.figures[self.request.rank])

    def best_first(self) -> list[int]:
        import numpy as np

        order: list[int] = np.argsort(-self.ranked, kind="stable").tolist()
        return order

    def place(self, number: int) -> int:
        """1 for the best; runs that are alike share the better place."""
        return 1 + int((self.ranked > self.ranked[number]).sum())

    def medians(self) -> dict[str, float | None]:
        """Of those runs that have the figure."""
        import numpy as np

        real = {name: values[~np.isnan(values)] for name, values in self.figures.items()}
        return {name: float(np.median(values)) if len(values) else None for name, values in real.items()}


@dataclass(frozen=True)
class OverSymbols(Ranking):
    """The figure of a run is the median over the symbols: no symbol alone makes a run the best."""

    request: "Ranked"
    figures: "dict[str, Floats]"


def over(symbols: "Sequence[Ranking]") -> OverSymbols:
    """The same runs over all of them. Where a run lacks a figure it counts as the lowest, so that none is the better
    for not trading.
    """
    import numpy as np

    figures = {}
    for name in symbols[0].figures:
        middle = np.median(np.array([_lowest(each.figures[name]) for each in symbols]), axis=0)
        figures[name] = np.where(np.isfinite(middle), middle, np.nan)
    return OverSymbols(symbols[0].request, figures)


def middle(of_symbols: Iterable[Metrics]) -> Metrics:
    """Of each figure of one run the median over the symbols, as ``over`` has it."""
    every = list(of_symbols)
    medians = {name: statistics.median(_known(each[name]) for each in every) for name in every[0]}
    return {name: value if math.isfinite(value) else None for name, value in medians.items()}


def _lowest(values: "Floats") -> "Floats":
    import numpy as np

    return np.where(np.isnan(values), -np.inf, values)


def _known(value: float | None) -> float:
    return -math.inf if value is None else value
