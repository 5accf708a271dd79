"""How each replica is, as `status` shows it, and over three looks; what happened to the replicas within a day."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Event, Replica
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.replicas import containers
from tradebot_ops.facts.replicas.condition import Condition, condition_of

LOOKS, PAUSE_SECONDS = 3, 1.0
#: Longer than `status` waits: every other fact is asked at the same time, and slow is not dead.
PATIENCE_SECONDS = 3.0


@fact(seconds=20)
def looks(ops: Ops) -> tuple[tuple[Condition, ...], ...]:
    """Three looks at everything, a second apart: what flickers, restarts or only starts up is seen."""
    found = []
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_SECONDS)
        found.append(_look(ops))
    return tuple(found)


def _look(ops: Ops) -> tuple[Condition, ...]:
    replicas = ops.engine.list()
    with ThreadPoolExecutor(max_workers=max(1, len(replicas))) as pool:
        return tuple(pool.map(lambda replica: condition_of(ops, replica, PATIENCE_SECONDS), replicas))


@fact(seconds=10)
def now(ops: Ops) -> tuple[Condition, ...]:
    """One look at everything, for who cannot wait for three."""
    return _look(ops)


@fact(seconds=15)
def events(ops: Ops) -> tuple[Event, ...]:
    """Events within a day."""
    return tuple(ops.engine.events(ops.clock() - timedelta(days=1)))


@fact(seconds=15, of=(containers.replicas,))
def oom_kills(ops: Ops, replicas: Sequence[Inspected]) -> Mapping[str, int]:
    """Processes that the kernel killed for memory inside each running container since it started, where it counts."""
    running = {each.id: each for each in replicas if each.contained and each.status == "running"}
    wanted = [each for each in ops.engine.list() if each.id in running]
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        counts = list(pool.map(lambda each: _killed(ops, each), wanted))
    return {each.label: count for each, count in zip(wanted, counts, strict=True) if count is not None}


def _killed(ops: Ops, replica: Replica) -> int | None:
    with contextlib.suppress(OpsError):  # an image may lack the program; the engine's own word remains
        answer = ops.engine.exec(replica, ["cat", "/sys/fs/cgroup/memory.events"], timeout=5)
        words = dict(line.split(" ", 1) for line in answer.output.splitlines() if line.count(" ") == 1)
        return int(words["oom_kill"]) if words.get("oom_kill", "").isdigit() else None
    return None
