"""From a strategy's wishes to fills, fees, trades and an equity curve."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trades:
    """Round trips, arrays of one length: bar numbers of the fills, and the gain after fees as a fraction.

    A position still open at the end has the last bar as its ``exit`` and is valued, unsold, at its close.
    """

    entry: "NDArray[np.intp]"
    exit: "NDArray[np.intp]"
    gain: "Floats"
    last_is_open: bool

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True)
class Simulation:
    """Equity at every close in money, whether the bar was held to its close, and the round trips."""

    equity: "Floats"
    held: "NDArray[np.bool_]"
    trades: Trades


def simulate(bars: "Bars", target: "NDArray[np.bool_]", cash: float, fee_bps: float) -> Simulation:
    """Trade all the money, long or flat.

    ``target`` of one bar is filled at the next bar's open; the first bar is always flat. Each side costs
    ``fee_bps`` basis points of what is traded, paid out of the money at hand; shares have fractions.
    """
    import numpy as np

    held = np.concatenate(([False], target[:-1]))
    before = np.concatenate(([False], held[:-1]))
    bought, sold = held & ~before, before & ~held
    fee = fee_bps / 1e4

    overnight = np.ones(len(bars))
    overnight[1:] = bars.open[1:] / bars.close[:-1]
    growth = np.where(before, overnight, 1.0) * np.where(held, bars.close / bars.open, 1.0)
    growth *= np.where(bought, 1 / (1 + fee), 1.0) * np.where(sold, 1 - fee, 1.0)
    return Simulation(cash * np.cumprod(growth), held, _trades(bars, bought, sold, fee))


def _trades(bars: "Bars", bought: "NDArray[np.bool_]", sold: "NDArray[np.bool_]", fee: float) -> Trades:
    import numpy as np

    entry, exits = np.flatnonzero(bought), np.flatnonzero(sold)
    gain = np.empty(len(entry))
    gain[: len(exits)] = bars.open[exits] * (1 - fee) / (bars.open[entry[: len(exits)]] * (1 + fee)) - 1
    last_is_open = len(entry) > len(exits)
    if last_is_open:
        exits = np.append(exits, len(bars) - 1)
        gain[-1] = bars.close[-1] / (bars.open[entry[-1]] * (1 + fee)) - 1
    return Trades(entry, exits, gain, last_is_open)
