"""Orders and positions of the bot that trades elsewhere, as two facts of a halt: read afterwards, or not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.bots import watched
from tradebot_ops.model import Finding, Level
from tradebot_ops.operations.trade.known import NO_BOT, Known, unknown
from tradebot_ops.text.sentences import ended

CODE = "TB-0166"
AFRESH = "Look at the exchange itself; then again: tradebot positions"


@dataclass(frozen=True)
class BotFacts:
    orders: Known = NO_BOT
    positions: Known = NO_BOT
    findings: tuple[Finding, ...] = ()


def halted(ops: Ops, *, close: bool) -> BotFacts:
    """Have the bot open nothing more, and with ``close`` close all; asks nobody where none is watched."""
    if not watched(ops):
        return BotFacts()
    try:
        answer = ops.api.halt_bots(close=close)
    except OpsError as error:
        return _unknown(error)
    failed = tuple(_not_done(failure) for failure in answer["failures"])
    return _facts(answer["bots"], failed, close=close)


def standing(ops: Ops) -> BotFacts:
    """As it is now, with nothing asked of it."""
    if not watched(ops):
        return BotFacts()
    try:
        return _facts(ops.api.bots(read=True), (), close=False)
    except OpsError as error:
        return _unknown(error)


def _unknown(error: OpsError) -> BotFacts:
    """Whatever it was asked may have been done, or a part of it: only reading again would show."""
    known = unknown(error.message)
    message = f"Whether the bot still trades is not known: {ended(error.message)}"
    return BotFacts(known, known, (Finding(Level.FAIL, CODE, message, hint=AFRESH),))


def _not_done(failure: str) -> Finding:
    return Finding(Level.FAIL, CODE, f"The bot did not do as it was asked: {ended(failure)}", hint=AFRESH)


def _facts(bots: Sequence[Mapping[str, Any]], failed: tuple[Finding, ...], *, close: bool) -> BotFacts:
    if not bots:
        return BotFacts()
    bot = bots[0]
    if bot["orders"] is None or bot["positions"] is None:
        known = unknown(bot["problems"].get("positions", "it was not read"))
        message = f"What {bot['adapter']} holds is not known: {ended(known.detail)}"
        return BotFacts(known, known, failed or (Finding(Level.FAIL, CODE, message, hint=AFRESH),))
    left = _left(bot) if close and bot["positions"] else ()
    return BotFacts(_orders(bot), _positions(bot), (*failed, *left))


def _left(bot: Mapping[str, Any]) -> tuple[Finding, ...]:
    message = f"{bot['adapter']} was asked to close all, and positions are open still."
    return (Finding(Level.FAIL, CODE, message, hint="tradebot positions, until there are none"),)


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
