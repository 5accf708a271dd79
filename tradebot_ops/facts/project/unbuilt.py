"""Facts that cannot be asked yet: parts that come later, and exchanges that nobody configured."""

from typing import NoReturn

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact


@fact()
def releases(ops: Ops) -> NoReturn:
    raise NotApplicable(Skip.LATER, "There are no releases yet: the command for them comes later.")


@fact()
def exchange(ops: Ops) -> NoReturn:
    raise NotApplicable(Skip.ADAPTER, "No exchange is connected to this stack.")
