"""Lists as results show them, and what every check here says that had nothing to look at."""

from collections.abc import Sequence

from tradebot_ops.facts.fact import Skip
from tradebot_ops.prodcheck.check import skipped

#: A check that looked at nothing proves nothing: never a pass.
NOTHING_RUNS = skipped(Skip.PREREQUISITE, "No replica runs.")


def few(names: Sequence[str], most: int = 5) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
