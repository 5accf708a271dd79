"""Halt the bot that trades elsewhere: open nothing, cancel what would, close what is open where that is wanted.

Each order to it is only asked for. What became of it is read afterwards, and where that cannot be read it is not known.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from services.bots.contract import Book, Bot, BotError, BotRefused, Order, Position, Status
from services.bots.watcher import Seen, Watcher

#: For so long after the last order that it took it is read again and again until it has done as it was asked.
SETTLE_S = 15.0
#: Nothing is asked for any more after that: whoever waits for the answer wants to know how it stands.
LONGEST_S = 45.0
EVERY_S = 1.0
LATE = f"It took longer than {LONGEST_S:.0f} s over the others, so that it was not asked for all."
IN_FLIGHT = "It has not ended the loop in which it was asked to open nothing, so that it may open one more."


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
    try:
        halting = _Halting(watcher.bot, close)
    except BotError as error:
        return Halted((str(error),), watcher.read())
    while not halting.done() and time.monotonic() < min(halting.took_at + SETTLE_S, halting.began + LONGEST_S):
        sleep(EVERY_S)
    return Halted(halting.failed(), watcher.read(), len(halting.cancelled))


@dataclass
class _Halting:
    """One bot: each round asks for what it was not asked for yet or did not take, and reads what became of the rest.

    The loop in which a bot is asked to open nothing may go on to open what it had decided on: what comes of it is
    cancelled and closed as well, and nothing is over before that loop has ended.
    """

    bot: Bot
    close: bool
    cancelled: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    #: By what it was asked for and has not done.
    failures: dict[str, str] = field(default_factory=dict)
    #: As it was when it was first seen to open nothing.
    halted: Status | None = None
    ended: bool = False
    began: float = field(default_factory=time.monotonic)
    #: When it took the last order to cancel or to close.
    took_at: float = field(default_factory=time.monotonic)

    def done(self) -> bool:
        """A round; whether nothing is left to wait for."""
        try:
            self._halt()
            self._clear()
            book = self._there()
            self.failures.pop("read", None)
        except BotError as error:
            self.failures["read"] = str(error)
            # One that may still open is asked again: it may be starting, or reading its configuration.
            return self.halted is not None or isinstance(error, BotRefused)
        return self.ended and not any(each.opens for each in book.orders) and not (self.close and book.positions)

    def failed(self) -> tuple[str, ...]:
        if self.halted and not self.ended and "read" not in self.failures:
            self.failures["loop"] = IN_FLIGHT
        return tuple(dict.fromkeys(self.failures.values()))

    def _halt(self) -> None:
        if self.halted is None:
            self._ask("halt", self.bot.halt)
        status = self.bot.status()
        if status.opening:
            self.halted = None
            return
        self.halted = self.halted or status
        self.ended = status.stopped or status.last_loop_at not in {None, self.halted.last_loop_at}

    def _clear(self) -> None:
        book = self._there()
        for resting in book.orders:
            new = resting.opens and resting.id not in self.cancelled
            if new and self._ask(_order(resting), partial(self.bot.cancel, resting)):
                self.cancelled.add(resting.id)
                self.took_at = time.monotonic()
        if not self.close:
            return
        # What was cancelled in part is a position by now.
        for held in self._there().positions:
            if held.id not in self.closed and self._ask(_position(held), partial(self.bot.close, held)):
                self.closed.add(held.id)
                self.took_at = time.monotonic()

    def _there(self) -> Book:
        """The book as it is. An order to it whose object is gone was done, whatever it answered."""
        book = self.bot.book()
        there = {"halt", "read", *map(_order, book.orders), *map(_position, book.positions)}
        self.failures = {asked: why for asked, why in self.failures.items() if asked in there}
        return book

    def _ask(self, what: str, order: Callable[[], None]) -> bool:
        """Whether it took the order."""
        if time.monotonic() > self.began + LONGEST_S:
            self.failures.setdefault(what, LATE)
            return False
        try:
            order()
        except BotError as error:
            self.failures[what] = str(error)
            return False
        self.failures.pop(what, None)
        return True


def _order(order: Order) -> str:
    return f"order {order.id}"


def _position(position: Position) -> str:
    return f"position {position.id}"
