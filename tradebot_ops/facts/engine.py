"""The engine: whether it answers, and which replicas it knows."""

import time
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Inspects, Replica, TriesOut
from tradebot_ops.engines.inspection import EngineInfo, TriedOut
from tradebot_ops.errors import Unavailable
from tradebot_ops.facts.fact import Effect, NotApplicable, Skip, fact


@dataclass(frozen=True)
class Reach:
    """The engine's answer to the cheapest question; ``seconds`` is the round trip."""

    name: str
    why: str
    seconds: float
    replicas: tuple[Replica, ...]


@fact(seconds=10)
def reach(ops: Ops) -> Reach:
    started = time.perf_counter()
    found = tuple(ops.engine.list())
    return Reach(ops.engine.name, ops.choice.why, time.perf_counter() - started, found)


@fact(of=(reach,))
def replicas(_: Ops, reach: Reach) -> tuple[Replica, ...]:
    """Every replica of the project, running or not."""
    return reach.replicas


@fact(seconds=10)
def info(ops: Ops) -> EngineInfo:
    if not isinstance(ops.engine, Inspects):
        raise NotApplicable(Skip.ENGINE, f"The {ops.engine.name} engine says nothing of what it stands on.")
    return ops.engine.info()


@fact(seconds=30, effect=Effect.WRITES)
def scratch(ops: Ops) -> TriedOut:
    """A scratch container, made of an image of the stack, asked and removed; or why the engine cannot run it."""
    if not isinstance(ops.engine, TriesOut):
        raise NotApplicable(Skip.ENGINE, "Services run as processes of this host here; there is no container to try.")
    tried = ops.engine.try_out(list(dict.fromkeys(service.image for service in ops.stack.services.values())))
    if not tried.image:
        raise Unavailable("No image of the stack is on this engine.", hint="tradebot images build")
    return tried
