"""Positions between trades, and what they are worth at each close.

A position is so many shares, bought for the share of equity that a strategy wants and kept until it wants another one.
So only the trades follow from one another, and there are few of them; the bars between are one product.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]

#: A smaller share of what it was is nothing: an account that fell so low is ruined.
NOTHING = 1e-12


@dataclass(frozen=True)
class Fills:
    """Trades in order of time, arrays of one length: the bar, the price, and the share of equity held from there on.

    ``between`` is equity once what was held is closed and paid for, ``after`` once the new position is, too. It is held
    for as many bars as ``lengths`` says. From bar ``end`` on there is none: the bars are over, or a trade would have
    cost more than the account had.
    """

    bar: "Numbers"
    price: "Floats"
    weight: "Floats"
    between: "Floats"
    after: "Floats"
    lengths: "Numbers"
    end: int

    def __len__(self) -> int:
        return len(self.bar)


def filled(bars: "Bars", target: "NDArray[Any]", cash: float, fee: float, taken_over: float) -> Fills:
    """The trades that ``target`` asks for, as ``simulate`` describes them."""
    import numpy as np

    bar, weight, price = _wanted(bars, target, taken_over)
    move = price[1:] / price[:-1]
    grown, drifted = np.ones(len(bar)), np.zeros(len(bar))
    grown[1:] += weight[:-1] * (move - 1)
    drifted[1:] = weight[:-1] * move / np.maximum(grown[1:], NOTHING)
    # The fee is one of what is traded, and paid out of the equity that the new share is of.
    buying, selling = (1 + fee * drifted) / (1 + fee * weight), (1 - fee * drifted) / (1 - fee * weight)
    paid = np.where(weight > drifted, buying, selling)
    end, alive = len(bars), (grown > 0) & (paid > 0)
    if not alive.all():
        count = int(alive.argmin())
        end = int(bar[count])
        bar, weight, price, grown, drifted, paid = (
            np.asarray(each[:count]) for each in (bar, weight, price, grown, drifted, paid)
        )
    after = cash * np.cumprod(grown * paid, dtype=np.float64)
    between = after / paid * (1 - fee * np.abs(drifted))
    lengths = np.concatenate((bar, [end]))[1:] - bar
    return Fills(bar, price, weight, between, after, lengths, end)


def _wanted(bars: "Bars", target: "NDArray[Any]", taken_over: float) -> "tuple[Numbers, Floats, Floats]":
    """The bars at which there is a trade, the share of equity to hold from there on, and the price.

    Wanted at the close of one bar, it is done at the open of the next.
    """
    import numpy as np

    changed = target[1:-1] != target[:-2]
    bar = changed.nonzero()[0] + 2
    if len(target) > 1 and target[0] != taken_over:
        bar = np.concatenate(([1], bar))
    weight, price = target[bar - 1].astype(float), bars.open[bar]
    if taken_over:
        bar = np.concatenate(([0], bar))
        weight, price = np.concatenate(([taken_over], weight)), np.concatenate((bars.close[:1], price))
    return bar, weight, price


def equity(bars: "Bars", fills: Fills, cash: float) -> "Floats":
    """Money and shares at each close; 0 from the bar on at whose close, or open of a trade, there is nothing left."""
    import numpy as np

    worth = np.zeros(len(bars))
    first = int(fills.bar[0]) if len(fills) else fills.end
    worth[:first] = cash
    shares = fills.after * fills.weight / fills.price
    held = slice(first, fills.end)
    worth[held] = np.repeat(fills.after * (1 - fills.weight), fills.lengths)
    worth[held] += np.repeat(shares, fills.lengths) * bars.close[held]
    if first == 0:
        worth[:1] = cash  # what is taken over at this close is paid for in the return of the next bar
    if len(fills) and fills.weight.min() < 0 and worth.min() <= 0:
        worth[np.argmax(worth <= 0) :] = 0.0
    return worth
