"""The engine: whether it answers, and which replicas it knows."""

import time
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Reach:
    """The engine's answer to the cheapest question; ``seconds`` is the round trip."""

    name: str
    why: str
    seconds: float
    replicas: int


@fact(seconds=10)
def reach(ops: Ops) -> Reach:
    started = time.perf_counter()
    found = ops.engine.list()
    return Reach(ops.engine.name, ops.choice.why, time.perf_counter() - started, len(found))


@fact(seconds=10)
def replicas(ops: Ops) -> tuple[Replica, ...]:
    """Every replica of the project, running or not."""
    return tuple(ops.engine.list())
