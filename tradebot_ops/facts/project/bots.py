"""The bot that trades elsewhere, read now through the API that watches it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.records import WatchedBot
from tradebot_ops.text.sentences import ended

#: As the alerts BotClockOff and BotFeedStale.
CLOCK_S, LATE_S = 2.0, 300.0
#: Whoever is asked for positions and orders where no bot is watched says this: they are not known.
NONE = "No bot is watched, as BOT_ADAPTER is not set."


@dataclass(frozen=True)
class Trading:
    """``env`` is that of this stack: dev, staging or prod. Ages are in seconds; None is what is not known.

    ``positions`` and ``orders`` are how many there are, read just now. ``second_instance`` is a sentence, or empty;
    ``foreign`` are markets with a position on its account that it does not know as its own, and ``not_compared`` are
    addresses of others of which it is not known whether they are on its account.
    """

    adapter: str
    env: str
    mode: str
    opening: bool
    positions: int
    orders: int | None
    second_instance: str
    foreign: tuple[str, ...]
    not_compared: tuple[str, ...]
    clock_offset: float | None
    candle_age: float | None
    candle: float | None

    @property
    def clock_off(self) -> float | None:
        """The seconds that its clock is off, whichever way; None where they are too few to matter, or not known."""
        off = abs(self.clock_offset or 0.0)
        return off if off > CLOCK_S else None

    @property
    def others_hold(self) -> str:
        """Where ``foreign`` has any."""
        return not_its_own(self.adapter, self.foreign)

    @property
    def others_not_known(self) -> tuple[str, ...]:
        """A sentence for each of ``not_compared``."""
        end = "trades on the same account is not known: it was not read."
        return tuple(f"Whether the bot at {address} {end}" for address in self.not_compared)

    @property
    def feed_stale(self) -> bool:
        """Whether its newest candle should have been followed by another one by now."""
        return self.candle_age is not None and self.candle is not None and self.candle_age > self.candle + LATE_S


def named(ops: Ops) -> str:
    """The kind of bot that the settings name; empty where they name none."""
    setting = ops.settings.stack.get("BOT_ADAPTER")
    return "" if setting is None else setting.text


def adapter(ops: Ops) -> str:
    """The kind of bot that a setting names, or that the last `up` had watched; empty for none."""
    return named(ops) or ops.state.load(WatchedBot).adapter


def watched(ops: Ops) -> bool:
    """Whether a setting names a bot, or the last `up` had one watched."""
    return bool(adapter(ops))


def not_its_own(adapter: str, foreign: Sequence[str]) -> str:
    """A sentence on positions of this bot's account that another trader opened."""
    more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
    return f"The account of {adapter} holds what is not its own: {foreign[0]}{more}."


@fact(seconds=30)
def trading(ops: Ops) -> Trading:
    """Raises where its state or its positions are not known: that is no answer."""
    bots = ops.api.bots(read=True) if watched(ops) else []
    if not bots:
        raise NotApplicable(Skip.ADAPTER, NONE)
    bot = bots[0]
    if bot["mode"] is None or bot["positions"] is None:
        why = next(iter(bot["problems"].values()), "It was not read.")
        raise OpsError(f"{bot['adapter']} cannot be read: {ended(why)}", code="TB-0565", hint="tradebot positions")
    return Trading(
        adapter=bot["adapter"],
        env=ops.settings.env,
        mode=bot["mode"],
        opening=bool(bot["opening"]),
        positions=len(bot["positions"]),
        orders=None if bot["orders"] is None else len(bot["orders"]),
        second_instance=bot["second_instance"],
        foreign=tuple(bot["foreign_positions"] or ()),
        not_compared=tuple(bot["not_compared"]),
        clock_offset=bot["clock_offset_s"],
        candle_age=bot["last_candle_age_s"],
        candle=bot["candle_s"],
    )
