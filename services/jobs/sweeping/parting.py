"""Parts of a job over a grid: how large it is, which runs are in which part, their figures as JSON and back, and
whether all of them saw the same candles.
"""

import hashlib
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.common.jobtypes import JobFailure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

    Floats = NDArray[np.float64]
    #: Of all days that are looked at by their name, the figures of the runs by theirs.
    Figures = dict[str, dict[str, Floats]]

#: Seconds of processor time: less is not worth the two extra steps, the trial before and the joining afterwards.
LEAST_S = 20.0
#: So large is a part that its own start, a second and a half with 400 000 bars, is little of it.
PART_S = 10.0
#: A sweep of fewer is done as a whole: of few runs it costs too much to try some.
LEAST_RUNS = 40
TRIED_RUNS = 15
TRIED_S = 0.5


def seconds(runs: Sequence[Any], work: Callable[[Any], object]) -> float:
    """About how long ``work`` takes for all runs, from some of them.

    Each is done twice: what it shares with others, such as averages, is computed anew for some runs and not for all.
    """
    took: list[float] = []
    begun = time.process_time()
    for run in runs[:: math.ceil(len(runs) / TRIED_RUNS)]:
        first = time.process_time()
        work(run)
        work(run)
        took.append((time.process_time() - first) / 2)
        if time.process_time() - begun > TRIED_S:
            break
    return statistics.median(took) * len(runs)


def count(all_s: float, runs: int) -> int:
    """In how many parts a sweep of about so many seconds is done; 1 where parts would save nothing."""
    if all_s < LEAST_S:
        return 1
    # An even number: two workers, or four, end together.
    return min(2 * math.ceil(all_s / PART_S / 2), runs)


def bounds(runs: int, number: int, parts: int) -> slice:
    """The runs of one part: all parts together are all runs, in order, and none is larger by more than one."""
    return slice(runs * number // parts, runs * (number + 1) // parts)


def candles(history: "Bars") -> str:
    """A digest of the candles that runs see."""
    mark = hashlib.sha256(history.day.tobytes())
    for prices in (history.open, history.high, history.low, history.close):
        mark.update(prices.tobytes())
    return mark.hexdigest()


def compare(symbol: str, history: "Bars", seen: Iterable[str]) -> None:
    """``JobFailure`` unless each part has ``seen`` the candles that there are now."""
    if {candles(history)} != set(seen):
        raise JobFailure(
            f"The candles of {symbol} were changed while the job ran: its parts do not compare.",
            hint="Submit it again.",
        )


def plain(figures: "Figures") -> dict[str, dict[str, list[float | None]]]:
    """As JSON, which has no NaN; all other numbers keep every digit."""
    return {
        days: {name: [None if math.isnan(value) else value for value in values.tolist()] for name, values in of.items()}
        for days, of in figures.items()
    }


def joined(parts: Sequence[Mapping[str, Mapping[str, Sequence[float | None]]]]) -> "Figures":
    """The figures of all runs, from those of the parts in their order."""
    import numpy as np

    return {
        days: {
            name: np.array([math.nan if value is None else value for part in parts for value in part[days][name]])
            for name in of
        }
        for days, of in parts[0].items()
    }
