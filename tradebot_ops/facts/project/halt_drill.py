"""How long ago a halt was seen to stop the watched bot."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.project import bots
from tradebot_ops.records import HaltDrill


@dataclass(frozen=True)
class Drilled:
    """Time since the last halt that stopped the bot, and since the last one that had orders to cancel; None: never."""

    adapter: str
    halted: timedelta | None
    cancelled: timedelta | None


@fact()
def drilled(ops: Ops) -> Drilled:
    """Halts of the kind of bot that is watched now: another one's stop proves nothing."""
    adapter = bots.adapter(ops)
    if not adapter:
        raise NotApplicable(Skip.ADAPTER, bots.NONE)
    drill = ops.state.load(HaltDrill)
    if drill.adapter != adapter:
        return Drilled(adapter, None, None)

    def since(at: str) -> timedelta | None:
        return ops.clock() - datetime.fromisoformat(at) if at else None

    return Drilled(adapter, since(drill.halted_at), since(drill.cancelled_at))
