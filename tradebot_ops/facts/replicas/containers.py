"""Every replica in full: limits, rights, mounts, ports, logs, restarts, health; asked once for all checks."""

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Inspects
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts.fact import NotApplicable, Skip, fact


@fact(seconds=10)
def inspected(ops: Ops) -> tuple[Inspected, ...]:
    """Replicas and one-offs, containers or processes, running or not."""
    if not isinstance(ops.engine, Inspects):
        raise NotApplicable(Skip.ENGINE, f"The {ops.engine.name} engine reports no more about its replicas.")
    return ops.engine.inspected()


@fact(of=(inspected,))
def replicas(ops: Ops, inspected: tuple[Inspected, ...]) -> tuple[Inspected, ...]:
    """Without one-offs."""
    return tuple(each for each in inspected if not each.one_off)


@fact(of=(replicas,))
def containers(ops: Ops, replicas: tuple[Inspected, ...]) -> tuple[Inspected, ...]:
    """Replicas that are containers: for what only a container has."""
    if replicas and not any(each.contained for each in replicas):
        raise NotApplicable(Skip.ENGINE, "Services run as processes of this host here; there are no containers.")
    return tuple(each for each in replicas if each.contained)
