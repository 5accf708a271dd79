"""How each replica is, as `status` shows it, and over three looks; what happened to the replicas within a day."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from tradebot_ops.clients.probe import ProbeResult, ask
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address, Engine, Event, Health, Replica, State
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import containers
from tradebot_ops.facts.fact import fact
from tradebot_ops.stack.model import Service

ASK_SECONDS = 1.0
LOOKS, PAUSE_SECONDS = 3, 1.0


@dataclass(frozen=True)
class Condition:
    """``word`` is what people read (ready, unhealthy, stopped …), ``detail`` why."""

    replica: Replica
    word: str
    detail: str


def condition_of(ops: Ops, replica: Replica) -> Condition:
    """What the engine says, and where it says "running" what the service itself answers within a second."""
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
        return Condition(replica, str(replica.state), f"{replica.restarts} restarts" if replica.restarts else "")
    sample = sample_of(ops.engine, service, replica, ASK_SECONDS)
    if sample.ok:
        word = "running" if service.one_shot or service.probe is None else "ready"
        return Condition(replica, word, sample.detail)
    return Condition(replica, "unhealthy", sample.detail)


def sample_of(engine: Engine, service: Service, found: Replica, timeout: float = 1.0) -> ProbeResult:
    """Ask one replica once. A service without a probe is as ready as its process is alive."""
    if service.probe is None:
        return ProbeResult(True, "is running", 0.0)
    try:
        address = _address(engine, found, service.probe.port)
    except OpsError as error:
        if found.health is Health.HEALTHY:  # only the engine's own host reaches it
            return ProbeResult(True, "is healthy, says the engine", 0.0)
        return ProbeResult(False, error.message, 0.0)
    return ask(service.probe, address.host, address.port, timeout)


def _address(engine: Engine, found: Replica, port: int) -> Address:
    """Where a port of a replica is reached: what its facts say, else what the engine finds out."""
    published = {each.target: each.address for each in found.published}
    if port in published:
        return published[port]
    return Address(found.host, port) if found.host else engine.endpoint(found.service, port, found.number)


@fact(seconds=15)
def looks(ops: Ops) -> tuple[tuple[Condition, ...], ...]:
    """Three looks at everything, a second apart: what flickers, restarts or only starts up is seen."""
    found = []
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_SECONDS)
        replicas = ops.engine.list()
        with ThreadPoolExecutor(max_workers=max(1, len(replicas))) as pool:
            found.append(tuple(pool.map(lambda replica: condition_of(ops, replica), replicas)))
    return tuple(found)


@fact(seconds=15)
def events(ops: Ops) -> tuple[Event, ...]:
    """What happened within a day."""
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
