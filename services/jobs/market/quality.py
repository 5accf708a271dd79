"""Is a candle sound? Rows that cannot be true are rejected with the reason; odd ones are flagged and kept."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

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


@dataclass(frozen=True)
class Flag:
    """Something odd that is kept: ``kind`` is gap, stale or outlier; ``day`` is the first day concerned."""

    symbol: str
    day: str
    kind: str
    detail: str


@dataclass(frozen=True)
class Checked:
    """``good`` rows ordered by symbol and day; ``bad`` rows with a column ``reason``; flags on good ones."""

    good: "pd.DataFrame"
    bad: "pd.DataFrame"
    flags: tuple[Flag, ...] = field(default=())


def check(frame: "pd.DataFrame", now: datetime) -> Checked:
    """Judge the rows of ``source.read``; ``now`` (UTC) decides which daily bars are closed."""
    import numpy as np

    reasons = np.full(len(frame), "", dtype=object)
    for reason, mask in _impossible(frame, now):
        reasons[mask & (reasons == "")] = reason
    passed = frame[reasons == ""].sort_values(["symbol", "day"], kind="stable")
    repeated = passed.duplicated(["symbol", "day"], keep="last")
    reasons[frame.index.get_indexer(passed.index[repeated])] = "duplicate: a later line has the same symbol and day"
    good = passed[~repeated.to_numpy()].reset_index(drop=True)
    bad = frame[reasons != ""].assign(reason=reasons[reasons != ""])
    return Checked(good, bad, (*_gaps(good), *_stale(good), *_outliers(good)))


def _impossible(frame: "pd.DataFrame", now: datetime) -> "list[tuple[str, Mask]]":
    import numpy as np

    prices = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "adj_close")}
    volume, day = frame["volume"].to_numpy(), frame["day"].to_numpy()
    top = np.maximum(np.maximum(prices["open"], prices["close"]), prices["low"])
    bottom = np.minimum(np.minimum(prices["open"], prices["close"]), prices["high"])
    missing = np.isnat(day) | (frame["symbol"] == "").to_numpy() | ~np.isfinite(volume)
    not_positive = np.zeros(len(frame), dtype=bool)
    for values in prices.values():
        missing |= ~np.isfinite(values)
        not_positive |= values <= 0
    closed = day + np.timedelta64(1, "D") <= np.datetime64(now.replace(tzinfo=None), "s")
    return [
        ("missing or unreadable value", missing),
        ("price not positive", not_positive),
        ("negative volume", volume < 0),
        ("high below open, close or low", prices["high"] < top),
        ("low above open, close or high", prices["low"] > bottom),
        ("bar not closed yet", ~closed),
    ]


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
    return [Flag(symbol, str(whole[at] + 1), "gap", f"{between[at]} weekdays missing") for at in wide]


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
    close = good["adj_close"].to_numpy()
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
