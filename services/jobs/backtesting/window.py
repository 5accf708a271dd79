"""The days that a backtest trades on, and the bars before them, which feed its indicators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobContext, JobFailure
from services.jobs.backtesting.fills import equity, filled
from services.jobs.backtesting.periods import Calendar, calendar
from services.jobs.backtesting.simulate import Simulation, simulate
from services.jobs.backtesting.strategy import malformed
from services.jobs.market.wording import several

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from services.jobs.backtesting.request import Market
    from services.jobs.backtesting.strategy import Strategy
    from services.jobs.market.candles import Bars

    Floats = NDArray[np.float64]

#: A figure of fewer bars says nothing.
LEAST_BARS = 2


@dataclass(frozen=True)
class Window:
    """``bars`` are those that are traded on; ``history`` ends with them, and ``before`` bars of it come earlier.

    ``start`` is the day that was asked for, None for the first candle.
    """

    history: "Bars"
    before: int
    bars: "Bars"
    calendar: Calendar
    start: date | None

    def run(self, strategy: "Strategy", parameters: "BaseModel", cash: float, fee_bps: float) -> Simulation:
        """One run. The strategy sees the whole history; only the window's bars are traded.

        The position that it wants before the window is taken over at the close of the window's first bar: from there
        on equity moves as that of a run over the whole history.
        """
        target, taken_over = self.wanted(strategy, parameters)
        return simulate(self.bars, target, cash, fee_bps, taken_over=taken_over)

    def equity(self, strategy: "Strategy", parameters: "BaseModel", cash: float, fee_bps: float) -> "Floats":
        """The equity of one run alone: a sweep needs no more of most of its runs."""
        target, taken_over = self.wanted(strategy, parameters)
        return equity(self.bars, filled(self.bars, target, cash, fee_bps / 1e4, taken_over), cash)

    def wanted(self, strategy: "Strategy", parameters: "BaseModel") -> "tuple[NDArray[Any], float]":
        """The share of equity to hold after each close of the window, and before its first one."""
        target = strategy.target(self.history, parameters)
        if wrong := malformed(target, self.history):
            raise JobFailure(f"The strategy {strategy.name} is broken: {wrong}")
        # On a single bar there is no time to gain anything.
        taken_over = float(target[self.before - 1]) if self.before and len(self.bars) > 1 else 0.0
        return target[self.before :], taken_over

    def split(self, share: float) -> "tuple[Window, Window | None]":
        """The days before a holdout of the last ``share`` of the bars, and the holdout; None where either is too short.

        The holdout begins with a day's first bar. Each is what a backtest until the last day before, and from its
        first day on, would trade on: what comes first knows nothing of what comes after.
        """
        at = self.morning(len(self.bars) - round(share * len(self.bars)))
        if at < LEAST_BARS or len(self.bars) - at < LEAST_BARS:
            return self, None
        return self.part(0, at), self.part(at, len(self.bars))

    def morning(self, number: int) -> int:
        """The first bar of the day of this one; as it is for the number after the last."""
        import numpy as np

        if number >= len(self.bars):
            return number
        return int(np.searchsorted(self.bars.day, self.bars.day[number].astype("datetime64[D]")))

    def number(self, day: "np.datetime64") -> int:
        """The first bar of this day or of a later one."""
        import numpy as np

        return int(np.searchsorted(self.bars.day, day))

    def part(self, first: int, end: int) -> "Window":
        """The bars from ``first`` to before ``end``, with all that came before, and nothing of what comes after."""
        history = self.history if end == len(self.bars) else self.history.until(self.before + end)
        bars = history.since(self.before + first)
        start: date | None = bars.day[0].astype("datetime64[D]").item() if first else self.start
        return Window(history, self.before + first, bars, calendar(history.day, bars.day), start)

    def all_along(self, cash: float, fee_bps: float) -> Simulation:
        """Bought at the first close and held."""
        import numpy as np

        return simulate(self.bars, np.ones(len(self.bars)), cash, fee_bps, taken_over=float(len(self.bars) > 1))

    def described(self, strategy: "Strategy", parameters: "Iterable[BaseModel]") -> dict[str, Any]:
        """The days of a result: how many, how they are counted in a year, from when signals were possible.

        Of several sets of ``parameters`` the one that needs the most bars decides.
        """
        needed = max(strategy.warmup(each) for each in parameters)
        found: dict[str, Any] = {
            "start": str(self.bars.day[0]),
            "end": str(self.bars.day[-1]),
            "bars": len(self.bars),
            "periods_per_year": self.calendar.periods_per_year,
            "warmup_bars": needed,
            "bars_before_start": self.before,
            "signals_from": None,
        }
        if needed < len(self.history):
            found["signals_from"] = str(self.history.day[max(needed, self.before)])
        if self.start and needed > self.before:
            since = found["signals_from"]
            possible = f"signals were possible from {since} on" if since else "no signal was possible"
            found["note"] = (
                f"The indicators need {several(needed, 'bar')} before {self.start}, and there are {self.before}: "
                f"{possible}."
            )
        return found


def window(ctx: JobContext, request: "Market") -> Window:
    """The days that ``request`` names, with all that came before; ``JobFailure`` when there is nothing to trade on."""
    import numpy as np

    history = ctx.candles(request.symbol, None, request.end, request.interval).adjusted()
    before = int(np.searchsorted(history.day, np.datetime64(request.start))) if request.start else 0
    if before == len(history):
        raise JobFailure(
            f"There are no candles for {request.symbol} from {request.start} to {request.end or 'now'};"
            f" before that there are, until {history.day[-1]}.",
            hint="Choose other days with start= and end=.",
        )
    bars = history.since(before)
    return Window(history, before, bars, calendar(history.day, bars.day), request.start)
