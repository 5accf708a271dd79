"""Does a strategy know only what has happened? Its future is taken away, or replaced, and its past must stay the same.

Whatever looks ahead, by a shift, a centred window, or figures of the whole series, decides otherwise about a bar once
the bars after it are others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from services.jobs.backtesting.strategy import Strategy, malformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.backtesting.strategy import Target
    from services.jobs.market.candles import Bars

#: At so many bars, evenly apart, the future is taken away.
CUTS = 40
#: Prices after the cut are multiplied by these.
FACTORS = (10.0, 0.1)
ROUNDING = 1e-9


@dataclass(frozen=True)
class Fault:
    """Something wrong with a strategy, as a sentence; ``bar`` is the number of the bar at which it shows first."""

    kind: Literal["output", "chance", "look-ahead", "warmup"]
    message: str
    bar: int | None = None


def faults(strategy: Strategy, parameters: Any, bars: "Bars", cuts: int = CUTS) -> list[Fault]:
    """The first fault of each kind on these bars; none for a strategy that can be trusted with them."""

    target = strategy.target(bars, parameters)
    if wrong := malformed(target, bars):
        return [Fault("output", wrong)]
    found = []
    again = strategy.target(bars, parameters)
    if len(differing := _differing(again, target)):
        bar = int(differing[0])
        found.append(Fault("chance", f"Asked twice about {bars.day[bar]}, it gave two answers.", bar))
    elif ahead := _look_ahead(strategy, parameters, bars, target, cuts):
        found.append(ahead)
    if early := _too_early(strategy, parameters, bars, target):
        found.append(early)
    return found


def _differing(one: "Target", other: "Target") -> "NDArray[np.intp]":
    """The bars about which they say different things; an average may differ in its last digit."""
    import numpy as np

    return np.flatnonzero(np.abs(one.astype(float) - other.astype(float)) > ROUNDING)


def _look_ahead(strategy: Strategy, parameters: Any, bars: "Bars", target: "Target", cuts: int) -> Fault | None:
    import numpy as np

    first = min(max(strategy.warmup(parameters), 1), len(bars) - 1)
    for cut in np.unique(np.linspace(first, len(bars) - 1, cuts).astype(int)):
        for future, changed in _futures(bars, int(cut)):
            again = strategy.target(changed, parameters)
            if malformed(again, changed):
                continue  # too few bars for it, which is no look ahead
            if len(differing := _differing(again[:cut], target[:cut])):
                bar = int(differing[0])
                message = (
                    f"It looks ahead: what it holds after the close of {bars.day[bar]} depends on bars after "
                    f"{bars.day[cut - 1]} ({future} them it decides otherwise)."
                )
                return Fault("look-ahead", message, bar)
    return None


def _futures(bars: "Bars", cut: int) -> "Iterator[tuple[str, Bars]]":
    """The bars with other ones, or none, after the first ``cut``."""
    import numpy as np

    yield "without", bars.until(cut)
    for factor in FACTORS:
        after = np.where(np.arange(len(bars)) < cut, 1.0, factor)
        prices = {name: getattr(bars, name) * after for name in ("open", "high", "low", "close")}
        yield f"with {factor:g} times", replace(bars, **prices)


def _too_early(strategy: Strategy, parameters: Any, bars: "Bars", target: "Target") -> Fault | None:
    import numpy as np

    warmup = strategy.warmup(parameters)
    if not len(early := np.flatnonzero(target[:warmup])):
        return None
    bar = int(early[0])
    message = (
        f"It holds after the close of {bars.day[bar]}, bar {bar + 1}, and warmup() says that it needs {warmup} before."
    )
    return Fault("warmup", message, bar)
