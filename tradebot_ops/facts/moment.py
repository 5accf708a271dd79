"""The time that ages are counted from: one for the whole run."""

from datetime import date, datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@fact()
def now(ops: Ops) -> datetime:
    return ops.clock()


@fact(of=(now,))
def today(ops: Ops, now: datetime) -> date:
    return now.date()
