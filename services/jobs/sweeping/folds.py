"""Walking forward: the days by which runs are chosen, those on which they are traded, and the money that this makes.

R. Pardo, "The Evaluation and Optimization of Trading Strategies", 2nd edition, Wiley 2008, chapter 11.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobFailure
from services.jobs.backtesting.metrics import annual
from services.jobs.backtesting.simulate import Simulation, simulate
from services.jobs.backtesting.window import LEAST_BARS
from services.jobs.market.wording import several
from services.jobs.sweeping.scan import Scanned, scan

if TYPE_CHECKING:
    from pydantic import BaseModel

    from services.jobs.backtesting.grid import WalkForward
    from services.jobs.backtesting.strategy import Strategy
    from services.jobs.backtesting.window import Window

#: More of them are hardly meant, and each has all runs of the grid.
MOST_FOLDS = 500


@dataclass(frozen=True)
class Fold:
    """Bars of a window by their numbers: a run is chosen by those from ``first`` on, and traded from ``at`` on, until
    before ``end``.
    """

    first: int
    at: int
    end: int

    def parts(self, days: "Window") -> "tuple[Window, Window]":
        """In sample, and out of sample."""
        return days.part(self.first, self.at), days.part(self.at, self.end)


def folds(days: "Window", request: "WalkForward") -> list[Fold]:
    """In order; together their bars for trading are all from the first choice on. Each begins with a day's first bar.

    A last one that is too short for any figure is part of the one before. ``JobFailure`` for none, or too many.
    """
    bars, train, test = len(days.bars), request.train_bars, request.test_bars
    starts = sorted({days.morning(at) for at in range(train, bars, test)} - {0})
    if len(starts) > 1 and bars - starts[-1] < LEAST_BARS:
        starts.pop()
    if not starts or bars - starts[0] < LEAST_BARS:
        raise JobFailure(
            f"{request.symbol} has {several(bars, 'bar')}, and the first {train} of them choose: "
            "too few are left to trade on.",
            hint="Ask for fewer with train_bars=, or for more days with start= and end=.",
        )
    if len(starts) > MOST_FOLDS:
        raise JobFailure(
            f"{bars} bars of {request.symbol}, {test} at a time, are {len(starts)} choices; {MOST_FOLDS} are allowed.",
            hint="Ask for more at a time with test_bars=.",
        )
    return [
        Fold(0 if request.anchored else days.morning(max(0, at - train)), at, end)
        for at, end in pairwise([*starts, bars])
    ]


def chosen(
    days: "Window",
    fold: Fold,
    strategy: "Strategy",
    runs: "Sequence[BaseModel]",
    request: "WalkForward",
    begun: Callable[[], None],
) -> dict[str, Any]:
    """The best run of a fold, and how it did, and all others, on the bars that did not choose it.

    In sample it is the best of a sweep of those days alone; out of sample its figures are those of a backtest of these.
    """
    known, after = (scan(part, strategy, runs, request, begun) for part in fold.parts(days))
    number = known.best_first()[0]
    inside, outside = _figures(known, number), _figures(after, number)
    return {
        "train_from": str(known.days.bars.day[0]),
        "train_until": str(known.days.bars.day[-1]),
        "test_from": str(after.days.bars.day[0]),
        "test_until": str(after.days.bars.day[-1]),
        "parameters": runs[number].model_dump(mode="json"),
        "in_sample": {**inside, "cagr": annual(inside["total_return"] or 0.0, known.days.calendar.years)},
        "out_of_sample": outside,
        "place": after.place(number) if outside[request.rank] is not None else None,
        "median": after.medians()[request.rank],
        "buy_and_hold": after.buy_and_hold()[request.rank],
    }


def walked(
    days: "Window", made: "Sequence[tuple[Fold, BaseModel]]", strategy: "Strategy", cash: float, fee_bps: float
) -> "tuple[Window, Simulation]":
    """One account that trades each fold as it was chosen, and the days of it.

    They begin with the last bar that chose the first run. What a run wants at that close is bought at the next open, as
    is what the next fold's run wants at the close of the last bar that chose it: nothing is known too early, and each
    change is paid for.
    """
    import numpy as np

    first = made[0][0].at - 1
    whole = days.part(first, len(days.bars))
    target = np.zeros(len(whole.bars))
    for fold, parameters in made:
        wanted, _ = days.part(fold.at - 1, fold.end).wanted(strategy, parameters)
        target[fold.at - 1 - first : fold.end - first] = wanted
    return whole, simulate(whole.bars, target, cash, fee_bps)


def _figures(of: Scanned, number: int) -> dict[str, float | None]:
    import numpy as np

    return {name: None if np.isnan(values[number]) else float(values[number]) for name, values in of.figures.items()}
