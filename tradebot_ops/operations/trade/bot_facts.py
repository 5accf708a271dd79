"""Orders and positions of the bot that trades elsewhere, as two facts of a halt: read afterwards, or not known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.bots import watched
from tradebot_ops.model import Finding, Level
from tradebot_ops.operations.trade.known import NO_BOT, Known, unknown
from tradebot_ops.records import HaltDrill
from tradebot_ops.text.sentences import agreed, ended

CODE = "TB-0166"
AFRESH = "Look at the exchange itself; then again: tradebot positions"


@dataclass(frozen=True)
class BotFacts:
    """``bot`` is the answer that both were read from; None where they are not known."""

    orders: Known = NO_BOT
    positions: Known = NO_BOT
    findings: tuple[Finding, ...] = ()
    bot: Mapping[str, Any] | None = None


def halted(ops: Ops, *, close: bool) -> BotFacts:
    """Have the bot open nothing more, and with ``close`` close all; asks nobody where none is watched."""
    if not watched(ops):
        return BotFacts()
    try:
        answer = ops.api.halt_bots(close=close)
    except OpsError as error:
        return _unknown(error)
    found = _facts(answer["bots"])
    refused = tuple(_failure(f"The bot did not do as it was asked: {ended(why)}", AFRESH) for why in answer["failures"])
    if found.bot is None:
        return replace(found, findings=refused or found.findings)
    undone = tuple(_failure(message, hint) for message, hint in _undone(found.bot, close=close))
    if not refused and not undone:
        _remember(ops, found.bot["adapter"], cancelled=answer["cancelled"] > 0)
    return replace(found, findings=(*refused, *undone))


def standing(ops: Ops) -> BotFacts:
    """As it is now, with nothing asked of it."""
    if not watched(ops):
        return BotFacts()
    try:
        return _facts(ops.api.bots(read=True))
    except OpsError as error:
        return _unknown(error)


def _facts(bots: Sequence[Mapping[str, Any]]) -> BotFacts:
    if not bots:
        return BotFacts()
    bot = bots[0]
    if bot["orders"] is None or bot["positions"] is None:
        known = unknown(bot["problems"].get("positions", "it was not read"))
        message = f"What {bot['adapter']} holds is not known: {ended(known.detail)}"
        return BotFacts(known, known, (_failure(message, AFRESH),))
    return BotFacts(_orders(bot), _positions(bot), bot=bot)


def _unknown(error: OpsError) -> BotFacts:
    """Whatever it was asked may have been done, or a part of it: only reading again would show."""
    known = unknown(error.message)
    message = f"Whether the bot still trades is not known: {ended(error.message)}"
    return BotFacts(known, known, (_failure(message, AFRESH),))


def _undone(bot: Mapping[str, Any], *, close: bool) -> Iterator[tuple[str, str]]:
    """A sentence for each thing that it was asked for, took, and has not done; and what to type."""
    name = bot["adapter"]
    if bot["opening"] is None:
        yield f"{name} was asked to open no positions, and whether it opens any is not known.", AFRESH
    elif bot["opening"]:
        yield f"{name} was asked to open no positions, and opens them still.", AFRESH
    if resting := sum(1 for each in bot["orders"] if each["opens"]):
        many = agreed(f"{resting} orders are")
        yield f"{name} was asked to cancel what would open a position, and {many} still resting.", AFRESH
    if close and bot["positions"]:
        yield (
            f"{name} was asked to close all, and positions are open still.",
            "tradebot positions, until there are none",
        )


def _failure(message: str, hint: str) -> Finding:
    return Finding(Level.FAIL, CODE, message, hint=hint)


def _remember(ops: Ops, adapter: str, *, cancelled: bool) -> None:
    """Keep when the stop was seen to work, and whether there were resting orders that it had to cancel."""
    now = ops.clock().isoformat(timespec="seconds")
    known = ops.state.load(HaltDrill)
    before = known.cancelled_at if known.adapter == adapter else ""
    ops.state.store(HaltDrill(adapter, now, now if cancelled else before))


def _orders(bot: Mapping[str, Any]) -> Known:
    if not bot["orders"]:
        return Known("none resting", _opening(bot))
    opens = sum(1 for each in bot["orders"] if each["opens"])
    return Known(f"{len(bot['orders'])} resting", f"{opens} of them would open a position; {_opening(bot)}")


def _opening(bot: Mapping[str, Any]) -> str:
    words = {
        True: "the bot opens positions",
        False: "the bot opens none",
        None: "whether the bot opens any is not known",
    }
    return words[bot["opening"]]


def _positions(bot: Mapping[str, Any]) -> Known:
    if not bot["positions"]:
        return Known("none open", f"{bot['mode'] or 'mode not known'}")
    held = ", ".join(f"{each['side']} {each['amount']:.12g} {each['symbol']}" for each in bot["positions"][:5])
    return Known(f"{len(bot['positions'])} open", f"{bot['mode'] or 'mode not known'}: {held}")
