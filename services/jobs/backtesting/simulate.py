"""From a strategy's wishes to fills, fees, trades and an equity curve."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.jobs.backtesting.fills import Fills, equity, filled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trades:
    """Round trips, arrays of one length: bars and prices of the fills, and the gain after fees as a fraction of equity.

    ``side`` is 1 for shares that were bought, -1 for those sold short. A position whose size changes is one trip. One
    still open at the end has the last bar as its ``exit`` and is valued at its close.
    """

    entry: "NDArray[np.intp]"
    exit: "NDArray[np.intp]"
    entry_price: "Floats"
    exit_price: "Floats"
    gain: "Floats"
    side: "NDArray[np.int_]"
    last_is_open: bool

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True)
class Simulation:
    """Equity at every close in money, whether there was a position at that close, and the round trips.

    ``ruined`` is the bar at which the account had nothing left, which only a short position can bring about.
    """

    equity: "Floats"
    held: "NDArray[np.bool_]"
    trades: Trades
    ruined: int | None


def simulate(
    bars: "Bars", target: "NDArray[Any]", cash: float, fee_bps: float, *, taken_over: float = 0.0
) -> Simulation:
    """Trade as ``target`` says: the share of equity to hold, from -1, all of it sold short, to 1, all of it bought.

    A change of ``target`` at one bar is filled at the next bar's open, and the shares are kept until it changes again;
    equity at the first close is ``cash``. ``taken_over``: the position is bought at that first close, and the fee of
    that falls into the return of the second bar. ``fee_bps`` basis points of whatever is traded are paid out of the
    money at hand; shares have fractions. Nothing is paid for what is borrowed. A run whose equity falls to 0 ends.
    """
    import numpy as np

    fills = filled(bars, target, cash, fee_bps / 1e4, taken_over)
    worth = equity(bars, fills, cash)
    ruined = int(np.argmax(worth <= 0)) if worth[-1] <= 0 else None
    held = np.zeros(len(bars), bool)
    if len(fills):
        held[fills.bar[0] : fills.end] = np.repeat(fills.weight != 0, fills.lengths)
    return Simulation(worth, held & (worth > 0), _trades(bars, fills, worth, ruined), ruined)


def _trades(bars: "Bars", fills: Fills, worth: "Floats", ruined: int | None) -> Trades:
    import numpy as np

    end = len(bars) - 1 if ruined is None else ruined
    made = fills.bar <= end
    bar, price, between = fills.bar[made], fills.price[made], fills.between[made]
    side = np.sign(fills.weight[made]).astype(int)
    before = np.concatenate(([0], side[:-1]))
    opened, closed = (side != before) & (side != 0), (side != before) & (before != 0)
    entry, exits = bar[opened], bar[closed]
    exit_price, returned = price[closed], between[closed]
    still_open = len(entry) > len(exits)
    if still_open:
        exits = np.append(exits, end)
        exit_price = np.append(exit_price, bars.close[end])
        returned = np.append(returned, worth[end])
    gain = returned / between[opened] - 1
    return Trades(entry, exits, price[opened], exit_price, gain, side[opened], still_open and ruined is None)
