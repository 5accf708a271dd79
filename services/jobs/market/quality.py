"""Is a candle sound? Rows that cannot be true are rejected with the reason; odd ones are flagged and kept."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from services.jobs.market.cells import PRICES
from services.jobs.market.intervals import DAILY, SECONDS, Interval
from services.jobs.market.wording import several

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

# A move must be both large and far from the symbol's usual moves to be called an outlier.
OUTLIER_MOVE = 0.25
OUTLIER_DEVIATIONS = 8.0
MAD_TO_DEVIATION = 1.4826
STALE_BARS = 3
# Alone in a file, a symbol cannot distinguish a holiday from a gap; exchanges were closed for four weekdays once.
LONE_GAP_WEEKDAYS = 5

NO_SYMBOL = "symbol is empty, or not printable"
NO_DAY = "date is empty or no date"
NOT_CLOSED = "bar not closed yet"
SEVERAL = "several bars of one day among daily ones"
DUPLICATE = "duplicate: a later line has the same symbol and day"
NOT_ASKED = "bar from before the time that was asked for"
OFF_STEP = "bar does not begin at a time of its interval"
#: The columns whose values a reason of that kind names.
COLUMNS_OF_KIND: dict[str, tuple[str, ...]] = {
    NO_SYMBOL: ("symbol",),
    **dict.fromkeys((NO_DAY, NOT_CLOSED, SEVERAL, DUPLICATE, NOT_ASKED, OFF_STEP), ("day",)),
    **{f"{name} is {wrong}": (name,) for name in PRICES for wrong in ("empty or no number", "not positive")},
    **{f"volume is {wrong}": ("volume",) for wrong in ("no number", "negative")},
    **{f"high is below {name}": ("high", name) for name in ("open", "close", "low")},
    **{f"low is above {name}": ("low", name) for name in ("open", "close")},
}


@dataclass(frozen=True)
class Flag:
    """Something odd that is kept: ``kind`` is gap, stale, outlier or disorder; ``day`` is the first day concerned."""

    symbol: str
    day: str
    kind: str
    detail: str


@dataclass(frozen=True)
class Checked:
    """``good`` rows ordered by symbol and day; ``bad`` rows as they came, with ``kind``; flags on good ones."""

    good: "pd.DataFrame"
    bad: "pd.DataFrame"
    flags: tuple[Flag, ...] = field(default=())


def check(frame: "pd.DataFrame", now: datetime, interval: Interval = DAILY) -> Checked:
    """Judge the rows of ``source.pieces``; ``now`` (UTC) decides which bars are closed."""
    import numpy as np

    kinds = np.full(len(frame), "", dtype=object)
    for kind, mask in _impossible(frame, now, SECONDS[interval]):
        kinds[mask & (kinds == "")] = kind
    passed = frame[kinds == ""].sort_values(["symbol", "day"], kind="stable")
    several = _several(passed)
    kinds[frame.index.get_indexer(passed.index[several])] = SEVERAL
    passed = passed[~several]
    repeated = passed.duplicated(["symbol", "day"], keep="last")
    kinds[frame.index.get_indexer(passed.index[repeated])] = DUPLICATE
    good = passed[~repeated.to_numpy()].reset_index(drop=True)
    bad = frame[kinds != ""].assign(kind=kinds[kinds != ""])
    if interval != DAILY:
        # Minutes without a trade, and equal ones, are the rule.
        return Checked(good, bad, tuple(_outliers(good)))
    return Checked(good, bad, (*_gaps(good), *_stale(good), *_outliers(good)))


def _impossible(frame: "pd.DataFrame", now: datetime, seconds: int) -> "Iterator[tuple[str, Mask]]":
    """Each kind of reason with the rows that it holds for; the first one counts."""
    import numpy as np

    columns = {name: frame[name].to_numpy() for name in (*PRICES, "volume") if name in frame}
    volume, day = columns.pop("volume"), frame["day"].to_numpy()
    yield NO_SYMBOL, (frame["symbol"] == "").to_numpy()
    yield NO_DAY, np.isnat(day)
    for name, values in columns.items():
        yield f"{name} is empty or no number", ~np.isfinite(values)
    yield "volume is no number", np.isinf(volume)
    for name, values in columns.items():
        yield f"{name} is not positive", values <= 0
    yield "volume is negative", volume < 0
    for name in ("open", "close", "low"):
        yield f"high is below {name}", columns["high"] < columns[name]
    for name in ("open", "close"):
        yield f"low is above {name}", columns["low"] > columns[name]
    yield NOT_CLOSED, day + np.timedelta64(seconds, "s") > np.datetime64(now.replace(tzinfo=None), "s")


def _several(ordered: "pd.DataFrame") -> "Mask":
    """Rows of one symbol and day that are written with different times: bars of a shorter interval."""
    import numpy as np

    symbol, day = ordered["symbol"].cat.codes.to_numpy(), ordered["day"].to_numpy()
    written = ordered["written"].to_numpy() if "written" in ordered else day
    same = (symbol[1:] == symbol[:-1]) & (day[1:] == day[:-1])
    if not (same & (written[1:] != written[:-1])).any():
        return np.zeros(len(ordered), dtype=bool)
    days = ordered.groupby(["symbol", "day"], observed=True)["written"]
    several: Mask = (days.transform("nunique") > 1).to_numpy()
    return several


def _gaps(good: "pd.DataFrame") -> list[Flag]:
    """Days on which at least half of the symbols then listed traded, and this one did not."""
    import numpy as np

    days, column = np.unique(good["day"].to_numpy(), return_inverse=True)
    rows, symbols = good["symbol"].cat.codes.to_numpy(), good["symbol"].cat.categories
    traded = np.zeros((len(symbols), len(days)), dtype=bool)
    traded[rows, column] = True
    present = np.flatnonzero(traded.any(axis=1))
    if len(present) == 1:
        return _lone_gaps(str(symbols[present[0]]), days)
    listed = np.maximum.accumulate(traded, axis=1) & np.maximum.accumulate(traded[:, ::-1], axis=1)[:, ::-1]
    weekday = (days.astype("datetime64[D]").view("int64") + 3) % 7 < 5
    count = listed.sum(axis=0)
    expected = weekday & (count >= 2) & (2 * traded.sum(axis=0) >= count)
    flags: list[Flag] = []
    for row in present:
        missing = np.flatnonzero(listed[row] & expected & ~traded[row])
        runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
        flags += [
            Flag(str(symbols[row]), _day(days[run[0]]), "gap", f"{len(run)} trading day(s) missing")
            for run in runs
            if len(run)
        ]
    return flags


def _lone_gaps(symbol: str, days: "NDArray[np.datetime64]") -> list[Flag]:
    import numpy as np

    whole = days.astype("datetime64[D]")
    between = np.busday_count(whole[:-1] + 1, whole[1:])
    wide = np.flatnonzero(between >= LONE_GAP_WEEKDAYS)
    return [Flag(symbol, str(whole[at] + 1), "gap", f"{several(between[at], 'weekday')} missing") for at in wide]


def _stale(good: "pd.DataFrame") -> list[Flag]:
    """Runs of bars that repeat the one before in every price: often a feed that stood still."""
    import numpy as np

    prices = good[["open", "high", "low", "close"]].to_numpy()
    symbol = good["symbol"].cat.codes.to_numpy()
    same = np.concatenate(([False], (prices[1:] == prices[:-1]).all(axis=1) & (symbol[1:] == symbol[:-1])))
    starts = np.flatnonzero(same & ~np.concatenate(([False], same[:-1]))) - 1
    ends = np.flatnonzero(same & ~np.concatenate((same[1:], [False])))
    long = ends - starts + 1 >= STALE_BARS
    return [
        Flag(good["symbol"].iat[a], _day(good["day"].iat[a]), "stale", f"{b - a + 1} equal bars in a row")
        for a, b in zip(starts[long], ends[long], strict=True)
    ]


def _outliers(good: "pd.DataFrame") -> list[Flag]:
    """Close-to-close moves, adjusted for splits, that are large and unlike the symbol's other moves."""
    import numpy as np
    import pandas as pd

    symbol = good["symbol"].cat.codes.to_numpy()
    close = good["adj_close" if "adj_close" in good else "close"].to_numpy()
    move = np.full(len(good), np.nan)
    move[1:] = np.where(symbol[1:] == symbol[:-1], np.log(close[1:] / close[:-1]), np.nan)
    usual = pd.Series(np.abs(move)).groupby(symbol).transform("median").to_numpy() * MAD_TO_DEVIATION
    change = np.expm1(move)
    odd = np.flatnonzero((np.abs(change) > OUTLIER_MOVE) & (np.abs(move) > OUTLIER_DEVIATIONS * usual))
    return [
        Flag(
            good["symbol"].iat[at],
            _day(good["day"].iat[at]),
            "outlier",
            f"close moved {100 * change[at]:+.1f} %",
        )
        for at in odd
    ]


def _day(value: object) -> str:
    return str(value)[:10]
