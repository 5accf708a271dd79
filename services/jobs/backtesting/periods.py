"""How many bars make a year, which is what a Sharpe ratio and a volatility are stated per."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

SESSIONS = 252
"""Days a year on which a stock exchange trades."""

DAYS = 365
DAYS_OF_CALENDAR_YEAR = 365.25
DAY_S = 86_400
#: A market that is always open has as many Saturdays and Sundays as other days; a feed's stray one is no such market.
SHARE_OF_WEEKEND = 0.5


@dataclass(frozen=True)
class Calendar:
    """``periods_per_year`` bars make a year; ``years`` of calendar time pass from the first close to the last."""

    periods_per_year: float
    years: float


def calendar(history: "Days", traded: "Days") -> Calendar:
    """Of bars at these times; what makes a year is seen in ``history``, how long it took in ``traded``."""
    took = int((traded[-1] - traded[0]).astype("timedelta64[s]").astype("int64")) / DAY_S
    return Calendar(periods_per_year(history), took / DAYS_OF_CALENDAR_YEAR)


def periods_per_year(times: "Days") -> float:
    """By the usual distance of two bars, and whether they are there on all seven days of the week.

    Daily bars: 252, or 365; weekly 52, monthly 12, quarterly 4, yearly 1; bars within the day: those of a usual day
    times 252, or all that fit into 365 days.
    """
    import numpy as np

    if len(times) < 2:
        return float(SESSIONS)
    seconds = times.astype("datetime64[s]").astype("int64")
    step = float(np.median(np.diff(seconds)))
    days = float(DAYS if _always_open(seconds) else SESSIONS)
    if step < DAY_S:
        _, bars = np.unique(seconds // DAY_S, return_counts=True)
        return days * DAY_S / step if days == DAYS else days * float(np.median(bars))
    rare = ((5, days), (20, 52.0), (60, 12.0), (200, 4.0))
    return next((count for most, count in rare if step < most * DAY_S), 1.0)


def _always_open(seconds: "NDArray[np.int64]") -> bool:
    import numpy as np

    # The first of January 1970 was a Thursday; Monday is 0.
    weekday = (np.unique(seconds // DAY_S) + 3) % 7
    count = np.bincount(weekday, minlength=7)
    return bool(min(count[5], count[6]) >= max(SHARE_OF_WEEKEND * count[:5].max(), 1))
