"""Whether two bots trade on one account, as far as what they say of it shows. Pure.

A bot does not name its account. What it shows of one is what rests there and what money there is: an order's number at
the exchange is there once, and balances that agree to the last of many digits are those of one account. Where neither
is so it is not known: a bot may have read its balances an hour before the other.
"""

from services.bots.contract import Account, Book, Mode, Status

#: Balances with fewer digits may agree by chance, such as 1000 on two accounts that were just opened.
LEAST_DIGITS = 6


def shared(one: tuple[Status, Book, Account], other: tuple[Status, Book, Account]) -> str:
    """The sign that both trade on one account; empty where there is none."""
    status, book, account = one
    others_status, others_book, others_account = other
    if Mode.PAPER in {status.mode, others_status.mode} or status.exchange != others_status.exchange:
        return ""
    if orders := sorted({each.id for each in book.orders} & {each.id for each in others_book.orders}):
        return f"both list the order {orders[0]}"
    money = _money(account)
    if money == _money(others_account) and (odd := [name for name, total in money.items() if _distinctive(total)]):
        return f"both have the same balances, that of {odd[0]} to the last digit"
    return ""


def _money(account: Account) -> dict[str, float]:
    return {each.currency: each.total for each in account.balances if each.total}


def _distinctive(total: float) -> bool:
    """Whether it has so many digits that no other account has the same by chance."""
    return len(f"{total:.12g}".replace(".", "").strip("0")) >= LEAST_DIGITS
