"""How a replica is: what its engine says and, where that is "running", what the service itself answers.

Apart from the facts because `status` and `up` ask it of one replica at a time, and load nothing else for it.
"""

from dataclasses import dataclass

from tradebot_ops.clients.probe import ProbeResult, ask
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address, Engine, Health, Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.replicas import healthcheck
from tradebot_ops.stack.model import Service
from tradebot_ops.text.sentences import agreed

ASK_SECONDS = 1.0


@dataclass(frozen=True)
class Condition:
    """``word`` is what people read (ready, unhealthy, stopped …), ``detail`` why."""

    replica: Replica
    word: str
    detail: str


def condition_of(ops: Ops, replica: Replica, seconds: float = ASK_SECONDS) -> Condition:
    """The engine's answer, and where that is "running" the service's own within so many seconds."""
    service = ops.stack.services.get(replica.service)
    if service is None and replica.service in ops.stack.inactive and replica.state is State.RUNNING:
        return Condition(replica, "running", "its profile is not chosen")
    if service is None:
        return Condition(replica, "orphan", "its service is not in the stack any more")
    if replica.state is State.EXITED and service.one_shot and replica.exit_code == 0:
        return Condition(replica, "done", "finished with exit code 0")
    if replica.state is State.EXITED:
        return Condition(replica, "failed" if service.one_shot else "stopped", f"exit code {replica.exit_code}")
    if replica.state is not State.RUNNING:
        restarts = agreed(f"{replica.restarts} restarts") if replica.restarts else ""
        return Condition(replica, str(replica.state), restarts)
    sample = sample_of(ops.engine, service, replica, seconds)
    if sample.ok:
        asked = service.probe is not None or healthcheck.decides(service, replica)
        return Condition(replica, "ready" if asked and not service.one_shot else "running", sample.detail)
    if service.probe is None and replica.health is Health.STARTING:
        return Condition(replica, "starting", sample.detail)
    return Condition(replica, "unhealthy", sample.detail)


def sample_of(engine: Engine, service: Service, found: Replica, timeout: float = 1.0) -> ProbeResult:
    """Ask one replica once: its probe, else its health check; without either it is as ready as its process is alive."""
    if service.probe is None:
        return healthcheck.asked(engine, service, found, timeout)
    try:
        address = address_of(engine, found, service.probe.port)
    except OpsError as error:
        if found.health is Health.HEALTHY:  # only the engine's own host reaches it
            return ProbeResult(True, "is healthy, says the engine", 0.0)
        return ProbeResult(False, error.message, 0.0)
    return ask(service.probe, address.host, address.port, timeout)


def address_of(engine: Engine, found: Replica, port: int) -> Address:
    """Where a port of a replica is reached: what its facts say, else what the engine finds out."""
    published = {each.target: each.address for each in found.published}
    if port in published:
        return published[port]
    return Address(found.host, port) if found.host else engine.endpoint(found.service, port, found.number)
