"""The description: the stack as compose.yaml and the settings have it, and for which environment."""

from collections.abc import Mapping

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.stack.model import Stack


@fact()
def description(ops: Ops) -> Stack:
    return ops.stack


@fact()
def environment(ops: Ops) -> str:
    """``dev``, ``staging`` or ``prod``: how strictly is judged."""
    return ops.settings.env


@fact()
def absent(ops: Ops) -> Mapping[str, str]:
    """Services that the last `up` could not run on this host, with the reason."""
    return {name: absence.message for name, absence in ops.unavailable.items()}
