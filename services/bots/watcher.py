"""Reads the bot that trades elsewhere again and again, and keeps its answers, each with its time.

What the last reading did not give, or what is too old, is not known. It is never what it was before, and never zero.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import structlog

from services.bots.account import shared
from services.bots.contract import (
    Account,
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
    """``second_at``: when another instance was last seen on the same account, and ``second`` says by what."""

    status: Known[Status] = Known()
    book: Known[Book] = Known()
    account: Known[Account] = Known()
    candle: Known[Candle] = Known()
    second_at: datetime | None = None
    second: str = ""

    def now(self, moment: datetime) -> "Seen":
        status, book, account = self.status.now(moment), self.book.now(moment), self.account.now(moment)
        known = Seen(status, book, account, self.candle.now(moment))
        if self.second_at is None or moment - self.second_at > SECOND:
            return known
        return replace(known, second_at=self.second_at, second=self.second)

    def parts(self) -> tuple[Status, Book, Account] | None:
        """Facts by which accounts differ; None where some of them are not known."""
        status, book, account = self.status.value, self.book.value, self.account.value
        return None if status is None or book is None or account is None else (status, book, account)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Watcher:
    """One bot. Safe from several threads; of those that ask at once one reads, and the others get what it read.

    ``others`` are bots at other addresses, by these: they are read to see whether one is on the same account.
    """

    def __init__(
        self,
        adapter: str,
        bot: Bot | BotError,
        clock: Callable[[], datetime] = utc_now,
        others: "Mapping[str, Watcher] | None" = None,
    ) -> None:
        self.adapter = adapter
        self.others = others or {}
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
        for other in self.others.values():
            other.start()

    def stop(self) -> None:
        self._over.set()
        for other in self.others.values():
            other.stop()

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
        account = ask(before.account, lambda bot: bot.account())
        candle = ask(before.candle, _candle)
        seen = Seen(status, book, account, candle, before.second_at, before.second)
        if second := self._answers_in_turn(status) or self._on_its_account(seen):
            return replace(seen, second_at=status.at, second=second)
        return seen

    def _answers_in_turn(self, status: Known[Status]) -> str:
        """A start that is older than one seen before is that of another instance: time does not go back."""
        started = status.value.started_at if status.value else None
        if started is None:
            return ""
        if self._newest_start is not None and started < self._newest_start:
            return f"Two instances of {self.adapter} answer in turn."
        self._newest_start = started
        return ""

    def not_compared(self) -> dict[str, str]:
        """Of the others those that could not be read, by their address, and why: their account is not known."""
        found = {}
        for address, other in self.others.items():
            seen = other.seen()
            if problem := next((each.problem for each in (seen.status, seen.book, seen.account) if each.problem), ""):
                found[address] = problem
        return found

    def _on_its_account(self, seen: Seen) -> str:
        """Another one is compared as it was last read: what both show does not change by the second."""
        own = seen.parts()
        for address, other in self.others.items():
            known = other.seen().parts()
            if own and known and (how := shared(own, known)):
                return f"The bot at {address} trades on the account of {self.adapter}: {how}."
        return ""


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

    def bot(url: str) -> Bot:
        return adapter.watch(Login(url, settings.bot_user, settings.bot_password))

    others = {url: Watcher(adapter.name, bot(url)) for url in settings.bot_others.split(",") if url}
    return Watcher(adapter.name, bot(settings.bot_url), others=others)
