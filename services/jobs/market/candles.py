"""Candles of one symbol as arrays, and their prices scaled for splits and dividends."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Days = NDArray[np.datetime64]

#: So much of what was computed of some bars is kept with them; the oldest is given up first.
MOST_KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Candles:
    """Bars of one symbol in order of time, as traded: arrays of one length, prices unadjusted."""

    symbol: str
    day: "Days"
    open: "Floats"
    high: "Floats"
    low: "Floats"
    close: "Floats"
    volume: "Floats"
    adj_close: "Floats"

    def __len__(self) -> int:
        return len(self.day)

    def adjusted(self) -> "Bars":
        """Prices scaled by adjusted close / close, so that a split is not a loss."""
        factor = self.adj_close / self.close
        return Bars(self.day, self.open * factor, self.high * factor, self.low * factor, self.close * factor)


@dataclass(frozen=True)
class Bars:
    """Input of a strategy: adjusted prices in order of time, arrays of one length."""

    day: "Days"
    open: "Floats"
    high: "Floats"
    low: "Floats"
    close: "Floats"
    _kept: "dict[Hashable, Floats]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.day)

    def until(self, end: int) -> "Bars":
        """The first ``end`` bars."""
        return Bars(self.day[:end], self.open[:end], self.high[:end], self.low[:end], self.close[:end])

    def since(self, first: int) -> "Bars":
        """The bars from number ``first`` on."""
        return Bars(self.day[first:], self.open[first:], self.high[first:], self.low[first:], self.close[first:])

    def kept(self, key: Hashable, compute: "Callable[[], Floats]") -> "Floats":
        """The array that ``compute`` gives, computed once for these bars: the runs of a sweep share their averages."""
        found = self._kept.get(key)
        if found is None:
            found = compute()
            found.setflags(write=False)
            self._kept[key] = found
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > MOST_KEPT_BYTES:
                del self._kept[next(iter(self._kept))]
        return found

    def forget(self) -> None:
        """Give up what ``kept`` computed: of many symbols it would be much."""
        self._kept.clear()
