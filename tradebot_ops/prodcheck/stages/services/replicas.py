"""Replicas: as many as described."""

from collections import Counter
from collections.abc import Mapping

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts import engine
from tradebot_ops.facts.project import stack
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.stack.model import Stack


@check(
    "SVC-01",
    "Every service has its replicas",
    asks=(stack.description, engine.replicas, stack.absent, stack.environment),
    severity=Severity.CRITICAL,
    source="brief: System Uptime",
    needs=("ENG-01",),
    anchor="compose.yaml",
    remedy="tradebot up",
)
def replicas(description: Stack, found: tuple[Replica, ...], absent: Mapping[str, str], env: str) -> Verdict:
    """A missing replica is lost capacity, a missing service an outage; one too many answers for nobody. What this
    host cannot run at all (no image, no program) is no outage: `up` reported it.
    """
    running = Counter(each.service for each in found if each.state is State.RUNNING)
    lasting = {name: service.replicas for name, service in description.services.items() if not service.one_shot}
    cannot = [name for name in lasting if name in absent and not running[name]]
    wanted = {name: count for name, count in lasting.items() if name not in cannot}
    fewer = [f"{name}: {running[name]} of {count}" for name, count in wanted.items() if running[name] < count]
    more = [f"{name}: {running[name]} of {count}" for name, count in wanted.items() if running[name] > count]
    if fewer:
        observed = ", ".join(fewer)
        return failed(f"{len(fewer)} services have too few replicas.", observed=observed, expected="as described")
    if more:
        observed = ", ".join(more)
        return warned(f"{len(more)} services have too many replicas.", observed=observed, expected="as described")
    if cannot:
        observed = f"{len(wanted)} services; not here: {', '.join(cannot)}"
        evidence = "\n".join(f"{name}: {absent[name]}" for name in cannot)
        if env == "prod":
            return warned("Services cannot run on this host.", observed=observed, expected="all", evidence=evidence)
        return passed("Every service that this host can run has its replicas.", observed=observed, evidence=evidence)
    return passed("Every service has its replicas.", observed=f"{len(wanted)} services")
