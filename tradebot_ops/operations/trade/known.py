"""A fact of a halt, as it was read afterwards."""

from dataclasses import dataclass

from tradebot_ops.facts.project.bots import NONE


@dataclass(frozen=True)
class Known:
    """A fact as it was read: its state in a word or two, and the rest of it."""

    state: str
    detail: str = ""


def unknown(why: str) -> Known:
    """A fact that nobody could read; never to be taken for a good one."""
    return Known("not known", why)


NO_BOT = unknown(NONE)
