"""Replicas: as many as described."""

from collections import Counter

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts import engine, stack
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.stack.model import Stack


@check(
    "SVC-01",
    "Every service has its replicas",
    asks=(stack.description, engine.replicas),
    severity=Severity.CRITICAL,
    source="brief: System Uptime",
    needs=("ENG-01",),
    anchor="compose.yaml",
    remedy="tradebot up",
)
def replicas(description: Stack, found: tuple[Replica, ...]) -> Verdict:
    """A missing replica is lost capacity, a missing service an outage; one too many answers for nobody."""
    running = Counter(each.service for each in found if each.state is State.RUNNING)
    wanted = {name: service.replicas for name, service in description.services.items() if not service.one_shot}
    fewer = [f"{name}: {running[name]} of {count}" for name, count in wanted.items() if running[name] < count]
    more = [f"{name}: {running[name]} of {count}" for name, count in wanted.items() if running[name] > count]
    if fewer:
        observed = ", ".join(fewer)
        return failed(f"{len(fewer)} services have too few replicas.", observed=observed, expected="as described")
    if more:
        observed = ", ".join(more)
        return warned(f"{len(more)} services have too many replicas.", observed=observed, expected="as described")
    return passed("Every service has its replicas.", observed=f"{len(wanted)} services")
