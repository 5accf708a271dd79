"""The questions and orders that a bot which trades elsewhere takes. An adapter carries them to one kind of bot.

An adapter never guesses: whatever it could not read in whole it raises a ``BotError`` for. "None" in an answer is what
the bot itself does not know; an empty list is its answer, confirmed by a second one where the first may mean less.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr


class Mode(StrEnum):
    PAPER = "paper"
    LIVE = "live"


class BotError(Exception):
    """The bot did not say it, or did not do it. The sentence says why."""


class BotUnreachable(BotError):  # noqa: N818 - these read as what they are
    """No connection, no answer in time, or one that ended in the middle."""


class BotRefused(BotError):  # noqa: N818
    """It does not take our login."""


class BotLimited(BotError):  # noqa: N818
    """It takes no more questions for a while."""


class BotFailed(BotError):  # noqa: N818
    """It answers with an error of its own."""


class BotUnreadable(BotError):  # noqa: N818
    """Its answer is not what its interface promises."""


@dataclass(frozen=True)
class Status:
    """``state`` is the bot's own word, ``opening`` whether it may open positions, ``stopped`` whether its loop rests.

    Its clock is ahead of ours by the offset.
    """

    name: str
    mode: Mode
    state: str
    opening: bool
    stopped: bool
    exchange: str
    started_at: datetime | None
    last_loop_at: datetime | None
    clock_offset_s: float | None

    @property
    def looped_at(self) -> datetime | None:
        """Its last loop by our clock."""
        if self.last_loop_at is None:
            return None
        return self.last_loop_at - timedelta(seconds=self.clock_offset_s or 0.0)


@dataclass(frozen=True)
class Position:
    id: str
    symbol: str
    side: str
    amount: float
    price: float | None
    opened_at: datetime | None


@dataclass(frozen=True)
class Order:
    """One that rests at the exchange; ``owner`` is what the adapter cancels it by.

    One that ``opens`` makes a position or a larger one; the others, such as a stop, make one smaller, and protect it.
    """

    id: str
    owner: str
    opens: bool
    symbol: str
    side: str
    type: str
    remaining: float | None
    price: float | None


@dataclass(frozen=True)
class Book:
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True)
class Balance:
    currency: str
    total: float
    free: float


@dataclass(frozen=True)
class Account:
    """Of all that is at the exchange, and not of this bot alone.

    ``foreign`` are the markets in which there is a position that the bot does not know as its own; None where it does
    not show the account's positions.
    """

    balances: tuple[Balance, ...]
    foreign: tuple[str, ...] | None


@dataclass(frozen=True)
class Candle:
    """The newest candle of a series that the bot decides by: when it ended, and how long one lasts."""

    symbol: str
    ended_at: datetime
    seconds: float


class Bot(Protocol):
    """Every method may raise ``BotError``, and ends within the adapter's own time."""

    def status(self) -> Status: ...

    def book(self) -> Book:
        """Positions and resting orders, of one moment."""
        ...

    def account(self) -> Account: ...

    def candle(self) -> Candle | None:
        """None while the bot has none yet."""
        ...

    def halt(self) -> None:
        """Open no more positions; those that are open stay with the bot."""
        ...

    def cancel(self, order: Order) -> None:
        """Ask for the end of an order. Only reading again shows that it ended."""
        ...

    def close(self, position: Position) -> None:
        """Ask for the end of a position at the market's price. Only reading again shows that it ended."""
        ...


@dataclass(frozen=True)
class Login:
    url: str
    user: str
    password: Callable[[], SecretStr | None]


@dataclass(frozen=True)
class Adapter:
    """``watch`` makes a bot without asking it anything."""

    name: str
    watch: Callable[[Login], Bot]
