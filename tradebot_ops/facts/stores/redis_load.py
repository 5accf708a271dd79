"""Load of Redis: the commands that take its time, and the largest of some keys."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradebot_ops.clients.redis import Sizes
from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact

MOST = 5
#: Redis counts by itself: nothing is missed in between, and what keeps it busy runs many times in so long.
BETWEEN_S = 0.3


@dataclass(frozen=True)
class Command:
    """How often a command ran within a second, and the share of that second that Redis spent on it."""

    name: str
    rate: float
    share: float


@fact()
def commands(ops: Ops) -> tuple[Command, ...]:
    """Commands of a third of a second, the one that took most time first."""
    before, began = ops.redis.info("commandstats"), time.monotonic()
    time.sleep(BETWEEN_S)
    after = ops.redis.info("commandstats")
    return between(before, after, time.monotonic() - began)


def between(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> tuple[Command, ...]:
    """Pure. A command that was not there before began at zero; statistics that were reset in between count as none."""
    found = []
    for name, now in after.items():
        was = before.get(name, {})
        calls = int(now["calls"]) - int(was.get("calls", 0))
        microseconds = float(now["usec"]) - float(was.get("usec", 0))
        if calls > 0 and microseconds >= 0:
            word = name.removeprefix("cmdstat_").replace("|", " ").upper()
            found.append(Command(word, calls / seconds, microseconds / 1e6 / seconds))
    return tuple(sorted(found, key=lambda each: (-each.share, each.name))[:MOST])


@fact(seconds=8)
def largest(ops: Ops) -> Sizes:
    """The largest of a bounded sample of keys."""
    return ops.redis.sizes(MOST)
