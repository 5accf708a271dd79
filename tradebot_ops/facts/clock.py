"""When this run looks: judges compare with it, so that they are pure."""

from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@fact()
def now(ops: Ops) -> datetime:
    return ops.clock()
