"""All runs of a sweep over the same days: a few figures of each, and where each stands among the others."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.jobs.backtesting.metrics import Metrics, metrics, returns_of
from services.jobs.sweeping.luck import by_luck, deflated, shape
from services.jobs.sweeping.measures import MEASURES
from services.jobs.sweeping.ranking import Ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.backtesting.grid import Ranked
    from services.jobs.backtesting.simulate import Simulation
    from services.jobs.backtesting.strategy import Strategy
    from services.jobs.backtesting.window import Window

    Floats = NDArray[np.float64]

#: Known of every run, whatever it is ranked by.
ALWAYS = ("sharpe", "total_return")


@dataclass(frozen=True)
class Scanned(Ranking):
    """The runs over ``days`` of one symbol."""

    days: "Window"
    strategy: "Strategy"
    runs: Sequence[Any]
    request: "Ranked"
    figures: "dict[str, Floats]"

    def metrics(self, number: int) -> Metrics:
        """All figures, as a backtest of this run alone gives them."""
        return metrics(self._run(number), self.days.calendar)

    def buy_and_hold(self) -> Metrics:
        """The figures of what needs no strategy: bought at the first close."""
        return metrics(self.days.all_along(self.request.cash, self.request.fee_bps), self.days.calendar)

    def luck(self, number: int) -> dict[str, float | int | None]:
        """Whether one run, chosen as the best of all, is more than the best of so many by luck."""
        import numpy as np

        per_year = math.sqrt(self.days.calendar.periods_per_year)
        sharpes = self.figures["sharpe"]
        sharpes = sharpes[~np.isnan(sharpes)]
        deviation = float(sharpes.std(ddof=1)) / per_year if len(sharpes) > 1 else 0.0
        benchmark = by_luck(len(sharpes), deviation)
        form = shape(returns_of(self._run(number).equity))
        return {
            "trials": len(sharpes),
            "sharpe_by_luck": benchmark * per_year,
            "deflated_sharpe": deflated(form, benchmark) if form else None,
        }

    def _run(self, number: int) -> "Simulation":
        return self.days.run(self.strategy, self.runs[number], self.request.cash, self.request.fee_bps)


def scan(
    days: "Window", strategy: "Strategy", runs: Sequence[Any], request: "Ranked", begun: Callable[[], None]
) -> Scanned:
    """Run them all; ``begun`` is called before each."""
    return Scanned(days, strategy, runs, request, figures(days, strategy, runs, request, begun))


def figures(
    days: "Window", strategy: "Strategy", runs: Sequence[Any], request: "Ranked", begun: Callable[[], None]
) -> "dict[str, Floats]":
    """The figures of each of these runs, which depend on no other one."""
    import numpy as np

    found = {name: np.full(len(runs), math.nan) for name in dict.fromkeys((*ALWAYS, request.rank))}
    with np.errstate(all="ignore"):
        for number, chosen in enumerate(runs):
            begun()
            equity = days.equity(strategy, chosen, request.cash, request.fee_bps)
            returns = returns_of(equity)
            for name, values in found.items():
                values[number] = MEASURES[name](equity, returns, days.calendar)
    for values in found.values():
        values[~np.isfinite(values)] = math.nan
    return found
