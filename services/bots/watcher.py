"""Reads the bot that trades elsewhere again and again, and keeps its answers, each with its time.

What the last reading did not give, or what is too old, is not known. It is never what it was before, and never zero.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import structlog

from services.bots.contract import (
    Balance,
    Book,
    Bot,
    BotError,
    BotRefused,
    BotUnreachable,
    Candle,
    Login,
    Status,
)
from services.bots.registry import adapters
from services.common.settings import Settings

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

EVERY_S = 20.0
STALE = timedelta(seconds=3 * EVERY_S)
#: For so long after it was seen a second instance is reported.
SECOND = timedelta(hours=1)
UNREAD = "It has not been read yet."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Known(Generic[T_co]):
    """``value`` as the bot gave it at ``at``; with ``problem`` the last reading failed, and there is no value."""

    value: T_co | None = None
    at: datetime | None = None
    problem: str = UNREAD

    def now(self, moment: datetime) -> "Known[T_co]":
        """The same, without its value where that is too old to be believed."""
        if self.problem or self.at is None or moment - self.at <= STALE:
            return self
        return replace(self, value=None, problem="It was not read again in time.")


@dataclass(frozen=True)
class Seen:
    """``second_at``: when two instances last answered in turn under the one address."""

    status: Known[Status] = Known()
    book: Known[Book] = Known()
    balance: Known[tuple[Balance, ...]] = Known()
    candle: Known[Candle] = Known()
    second_at: datetime | None = None

    def now(self, moment: datetime) -> "Seen":
        second = self.second_at if self.second_at and moment - self.second_at <= SECOND else None
        return Seen(
            self.status.now(moment), self.book.now(moment), self.balance.now(moment), self.candle.now(moment), second
        )


def utc_now() -> datetime:
    return datetime.now(UTC)


class Watcher:
    """One bot. Safe from several threads; of those that ask at once one reads, and the others get what it read."""

    def __init__(self, adapter: str, bot: Bot | BotError, clock: Callable[[], datetime] = utc_now) -> None:
        self.adapter = adapter
        self._bot = bot
        self._clock = clock
        self._reading = threading.Lock()
        self._began = float("-inf")
        self._seen = Seen()
        self._newest_start: datetime | None = None
        self._over = threading.Event()

    def start(self) -> None:
        """Read again and again until ``stop``. The thread keeps nobody from ending, however long the bot takes."""
        threading.Thread(target=self._run, name="bot-watcher", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            self.read()
            self._over.wait(EVERY_S)

    @property
    def bot(self) -> Bot:
        """Raises ``BotError`` where the settings name none that can be asked."""
        if isinstance(self._bot, BotError):
            raise self._bot
        return self._bot

    def seen(self) -> Seen:
        """The last reading, as far as it is still to be believed."""
        return self._seen.now(self._clock())

    def read(self) -> Seen:
        """Read now. Never raises: what failed is in the answer."""
        asked = time.monotonic()
        with self._reading:
            if self._began <= asked:
                self._began = time.monotonic()
                self._seen = self._read(self._seen)
        return self.seen()

    def _read(self, before: Seen) -> Seen:
        away: BotError | None = None

        def ask(known: Known[T], question: Callable[[Bot], T]) -> Known[T]:
            nonlocal away
            try:
                if away is not None:
                    raise away
                return Known(question(self.bot), self._clock(), "")
            except BotError as error:
                # The others would wait in vain for as long, or be refused as well.
                away = error if isinstance(error, BotUnreachable | BotRefused) else away
                if not known.problem:
                    log.warning("the bot cannot be read", adapter=self.adapter, reason=str(error))
                return Known(None, known.at, str(error))

        status = ask(before.status, lambda bot: bot.status())
        book = ask(before.book, lambda bot: bot.book())
        balance = ask(before.balance, lambda bot: bot.balance())
        candle = ask(before.candle, _candle)
        return Seen(status, book, balance, candle, self._second(status) or before.second_at)

    def _second(self, status: Known[Status]) -> datetime | None:
        """A start that is older than one seen before is that of another instance: time does not go back."""
        started = status.value.started_at if status.value else None
        if started is None:
            return None
        if self._newest_start is not None and started < self._newest_start:
            return status.at
        self._newest_start = started
        return None


def _candle(bot: Bot) -> Candle:
    found = bot.candle()
    if found is None:
        raise BotError("The bot has no candle yet.")
    return found


def watcher_for(settings: Settings) -> Watcher | None:
    """The one that the settings ask for; asks nothing. A name or an address that is none is what it then says."""
    if not settings.bot_adapter:
        return None
    known = adapters()
    adapter = known.get(settings.bot_adapter)
    if adapter is None:
        names = ", ".join(sorted(known))
        return Watcher(settings.bot_adapter, BotError(f"BOT_ADAPTER is none of: {names}."))
    if not settings.bot_url:
        return Watcher(adapter.name, BotError("BOT_URL does not say where the bot answers."))
    return Watcher(adapter.name, adapter.watch(Login(settings.bot_url, settings.bot_user, settings.bot_password)))
