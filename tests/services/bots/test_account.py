"""What shows that two bots are on one account, and what does not."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.bots.account import shared
from services.bots.contract import Account, Balance, Book, Mode, Order, Status

Parts = tuple[Status, Book, Account]


def parts(
    *orders: str, mode: Mode = Mode.LIVE, exchange: str = "binance", money: Mapping[str, float] | None = None
) -> Parts:
    nothing: dict[str, Any] = dict.fromkeys(("started_at", "last_loop_at", "clock_offset_s"))
    status = Status("bot", mode, "running", True, False, exchange, **nothing)
    resting = tuple(Order(each, "1", True, "BTC/USDT", "buy", "limit", 0.5, 60000.0) for each in orders)
    balances = tuple(Balance(name, total, total / 2) for name, total in (money or {}).items())
    return status, Book((), resting), Account(balances, None)


def test_an_order_is_there_once() -> None:
    assert shared(parts("a", "b"), parts("b", "c")) == "both list the order b"
    assert shared(parts("a"), parts("c")) == ""


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"USDT": 1033.27}, {"USDT": 1033.27}, True),
        ({"USDT": 1033.27, "BNB": 0.0}, {"USDT": 1033.27}, True),
        ({"USDT": 1000.0, "BTC": 0.00123456}, {"USDT": 1000.0, "BTC": 0.00123456}, True),
        ({"USDT": 1033.27}, {"USDT": 1033.28}, False),
        ({"USDT": 1033.27}, {"USDT": 1033.27, "BTC": 0.1}, False),
        ({"USDT": 1000.0}, {"USDT": 1000.0}, False),
        ({"USDT": 1000000.0}, {"USDT": 1000000.0}, False),
        ({"USDT": 500.25}, {"USDT": 500.25}, False),
        ({}, {}, False),
    ],
)
def test_balances_of_many_digits_are_those_of_one_account(
    one: dict[str, float], other: dict[str, float], alike: bool
) -> None:
    found = shared(parts(money=one), parts(money=other))
    assert bool(found) is alike
    assert ("to the last digit" in found) is alike


def test_what_trades_without_money_or_elsewhere_is_on_no_account_of_this_one() -> None:
    money = {"USDT": 1033.27}
    live = parts("a", money=money)
    assert shared(live, live)
    assert shared(live, parts("a", mode=Mode.PAPER, money=money)) == ""
    assert shared(parts("a", mode=Mode.PAPER, money=money), live) == ""
    assert shared(live, parts("a", exchange="kraken", money=money)) == ""
