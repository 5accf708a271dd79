"""Halt the bot that trades elsewhere: open nothing, cancel what would, close what is open where that is wanted.

Each order to it is only asked for. What became of it is read afterwards, and where that cannot be read it is not known.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from services.bots.contract import Book, Bot, BotError
from services.bots.watcher import Seen, Watcher

#: For so long it is read again and again until the bot has done as it was asked.
SETTLE_S = 8.0
EVERY_S = 1.0


@dataclass(frozen=True)
class Halted:
    """``failures`` are the orders that it did not take; ``seen`` is what was read after the last of them.

    ``cancelled`` is how many resting orders it was asked to cancel, and took that.
    """

    failures: tuple[str, ...]
    seen: Seen
    cancelled: int = 0


def halt(watcher: Watcher, *, close: bool, sleep: Callable[[float], None] = time.sleep) -> Halted:
    """Never raises: what failed is in the answer. Orders that protect a position stay while it is open."""
    failures: list[str] = []
    cancelled = 0

    def ask(order: Callable[[], None]) -> bool:
        try:
            order()
        except BotError as error:
            failures.append(str(error))
            return False
        return True

    try:
        bot = watcher.bot
        ask(bot.halt)
        book = bot.book()
        for resting in book.orders:
            if resting.opens:
                cancelled += ask(partial(bot.cancel, resting))
        if close:
            # What was cancelled in part is a position by now.
            for held in bot.book().positions:
                ask(partial(bot.close, held))
        _settle(bot, close=close, sleep=sleep)
    except BotError as error:
        failures.append(str(error))
    return Halted(tuple(dict.fromkeys(failures)), watcher.read(), cancelled)


def _settle(bot: Bot, *, close: bool, sleep: Callable[[float], None]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while not _done(bot.book(), close=close) and time.monotonic() < deadline:
        sleep(EVERY_S)


def _done(book: Book, *, close: bool) -> bool:
    return not any(order.opens for order in book.orders) and not (close and book.positions)
