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
    """Round trips, arrays of one length: bars and prices of the fills, and the gain after fees as a fraction.

    A position still open at the end has the last bar as its ``exit`` and is valued, unsold, at its close.
    """

    entry: "NDArray[np.intp]"
    exit: "NDArray[np.intp]"
    entry_price: "Floats"
    exit_price: "Floats"
    gain: "Floats"
    last_is_open: bool

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True)
class Simulation:
    """Equity at every close in money, whether there was a position at that close, and the round trips."""

    equity: "Floats"
    held: "NDArray[np.bool_]"
    trades: Trades


def simulate(
    bars: "Bars", target: "NDArray[np.bool_]", cash: float, fee_bps: float, *, taken_over: bool = False
) -> Simulation:
    """Trade all the money, long or flat.

    ``target`` of one bar is filled at the next bar's open; equity at the first close is ``cash``. ``taken_over``: the
    position is bought at that first close, and the fee of that falls into the return of the second bar. Each side costs
    ``fee_bps`` basis points of what is traded, paid out of the money at hand; shares have fractions.
    """
    import numpy as np

    held = np.concatenate(([taken_over], target[:-1]))
    before = np.concatenate(([False], held[:-1]))
    bought, sold = held & ~before, before & ~held
    fee = fee_bps / 1e4

    overnight = np.ones(len(bars))
    overnight[1:] = bars.open[1:] / bars.close[:-1]
    growth = np.where(before, overnight, 1.0) * np.where(held, bars.close / bars.open, 1.0)
    growth *= np.where(bought, 1 / (1 + fee), 1.0) * np.where(sold, 1 - fee, 1.0)
    growth[0] = 1.0
    if taken_over:
        growth[1:2] /= 1 + fee
    return Simulation(cash * np.cumprod(growth), held, _trades(bars, bought, sold, fee))


def _trades(bars: "Bars", bought: "NDArray[np.bool_]", sold: "NDArray[np.bool_]", fee: float) -> Trades:
    import numpy as np

    entry, exits = np.flatnonzero(bought), np.flatnonzero(sold)
    # Only what was taken over is bought on the first bar.
    entry_price = np.where(entry == 0, bars.close[0], bars.open[entry])
    exit_price = bars.open[exits]
    last_is_open = len(entry) > len(exits)
    returned = exit_price * (1 - fee)
    if last_is_open:
        exits = np.append(exits, len(bars) - 1)
        exit_price = np.append(exit_price, bars.close[-1])
        returned = np.append(returned, bars.close[-1])
    gain = returned / (entry_price * (1 + fee)) - 1
    return Trades(entry, exits, entry_price, exit_price, gain, last_is_open)
