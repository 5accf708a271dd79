"""Intervals of bars: which there are, and which one a file is of."""

from typing import TYPE_CHECKING, Literal

from services.common.jobtypes import JobFailure

if TYPE_CHECKING:
    import pandas as pd

Interval = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]
DAILY: Interval = "1d"
SECONDS: dict[Interval, int] = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14_400, "6h": 21_600,
    "8h": 28_800, "12h": 43_200, "1d": 86_400,
}  # fmt: skip
#: Days of some zones have 23 hours.
SHORTEST_DAY_S = 23 * 3600


def of_file(name: str, frame: "pd.DataFrame", asked: Interval | None) -> Interval:
    """The interval of rows as ``cells.typed`` gives them: ``asked`` where they agree with it, else what they show.

    Raises ``JobFailure`` where they show another one, or none.
    """
    step = _usual_step(frame)
    if step is None:
        if asked or _all_at_midnight(frame):
            return asked or DAILY
        raise JobFailure(
            f"{name} has times of day and one bar of each symbol, which does not show how long a bar lasts.",
            hint="Name it: interval=1h.",
        )
    shown = DAILY if step >= SHORTEST_DAY_S else _of_step(step)
    if asked and asked != shown and (asked == DAILY or step % SECONDS[asked]):
        raise JobFailure(f"The bars of {name} are {shown or f'{step} s'} apart, not {asked}.")
    if not (asked or shown):
        known = ", ".join(SECONDS)
        raise JobFailure(
            f"The bars of {name} are {step} s apart, which is no interval known here: {known}.",
            hint="Where bars are only missing, name the interval: interval=1m.",
        )
    return asked or shown or DAILY


def _of_step(step: int) -> Interval | None:
    return next((interval for interval, seconds in SECONDS.items() if seconds == step), None)


def _usual_step(frame: "pd.DataFrame") -> int | None:
    """The most frequent distance of two bars of a symbol, in seconds; None where no symbol has two."""
    import numpy as np

    known = frame[frame["instant"].notna() & (frame["symbol"] != "")].sort_values(["symbol", "instant"], kind="stable")
    symbol, seconds = known["symbol"].cat.codes.to_numpy(), known["instant"].to_numpy().astype("int64")
    steps = np.diff(seconds)[symbol[1:] == symbol[:-1]]
    steps, count = np.unique(steps[steps > 0], return_counts=True)
    return int(steps[np.argmax(count)]) if len(steps) else None


def _all_at_midnight(frame: "pd.DataFrame") -> bool:
    written = frame["written"].dropna()
    return bool((written == written.dt.normalize()).all())
