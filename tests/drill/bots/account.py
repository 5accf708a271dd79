"""An account at the market, with those of Binance's signed questions that a bot asks which trades with money."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: The part that is filled at once of what is bid below the market; it rests with the others.
PART = 0.3
OPEN = {"NEW", "PARTIALLY_FILLED"}
EMPTY = ("capital", "delist", "margin", "Margin", "allPairs")


@dataclass
class Account:
    """Whoever signs is let in. ``money`` is free, ``locked`` is in orders that rest."""

    money: dict[str, float] = field(default_factory=lambda: defaultdict(float, USDT=10000.123456))
    locked: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    orders: dict[int, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, asked: dict[str, str], price: Callable[[str], float]) -> Any:
        with self._lock:
            return self._answer(method, path, asked, price)

    def _answer(self, method: str, path: str, asked: dict[str, str], price: Callable[[str], float]) -> Any:
        name = path.rpartition("/")[2]
        if name == "account":
            return {"accountType": "SPOT", "canTrade": True, "balances": self._balances()}
        if name == "openOrders":
            return [each for each in self.orders.values() if each["status"] in OPEN]
        if name in {"allOrders", "myTrades"}:
            return [] if name == "myTrades" else [*self.orders.values()]
        if name == "order" and method == "POST":
            return self._place(asked, price(asked["symbol"]))
        if name == "order":
            order = self.orders.get(int(asked["orderId"]))
            return self._cancel(order) if order and method == "DELETE" else order
        return [] if any(each in path for each in EMPTY) else None

    def _balances(self) -> Any:
        names = sorted({*self.money, *self.locked})
        return [
            {"asset": each, "free": f"{self.money[each]:.8f}", "locked": f"{self.locked[each]:.8f}"} for each in names
        ]

    def _place(self, asked: dict[str, str], price: float) -> Any:
        amount, limit = float(asked["quantity"]), float(asked.get("price") or price)
        stop, buys = "STOP" in asked["type"], asked["side"] == "BUY"
        filled = 0.0 if stop else amount if limit >= price or not buys else round(amount * PART, 5)
        order: dict[str, Any] = {name: asked.get(name, "0") for name in ("symbol", "type", "side", "stopPrice")} | {
            "orderId": next(self._numbers),
            "time": int(time.time() * 1000),
            "updateTime": int(time.time() * 1000),
            "timeInForce": "GTC",
            "price": str(limit),
            "origQty": str(amount),
            "executedQty": str(filled),
            "cummulativeQuoteQty": str(filled * min(limit, price)),
            "status": "FILLED" if filled == amount else "PARTIALLY_FILLED" if filled else "NEW",
            "fills": [],
        }
        base, sign = asked["symbol"].removesuffix("USDT"), 1 if buys else -1
        self.money[base] += sign * filled
        self.money["USDT"] -= sign * filled * min(limit, price)
        self._rest(order, amount - filled)
        self.orders[order["orderId"]] = order
        return order

    def _cancel(self, order: Any) -> Any:
        if order["status"] in OPEN:
            self._rest(order, float(order["executedQty"]) - float(order["origQty"]))
            order["status"] = "CANCELED"
        return order

    def _rest(self, order: Any, amount: float) -> None:
        """Lock what is paid for so much, or unlock it."""
        buys = order["side"] == "BUY"
        paid = "USDT" if buys else order["symbol"].removesuffix("USDT")
        value = amount * float(order["price"]) if buys else amount
        self.money[paid] -= value
        self.locked[paid] += value
