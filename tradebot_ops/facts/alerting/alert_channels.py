"""The channels that notify people: when each last took a test."""

from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.records import ChannelTests


@fact()
def tests(ops: Ops) -> dict[str, datetime]:
    """By ``receiver/kind``; what `alerts test` noted, and only what was taken."""
    return {name: datetime.fromisoformat(at) for name, at in ops.state.load(ChannelTests).taken.items()}
