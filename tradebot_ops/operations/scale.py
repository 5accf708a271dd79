"""Set the number of replicas of a service: add without touching the others, drain before removing."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tradebot_ops.context import DESIRED, Ops
from tradebot_ops.engines.base import Instance
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.converge import converge
from tradebot_ops.operations.progress import Listener, Phase, Told
from tradebot_ops.operations.readiness import World
from tradebot_ops.operations.select import service_name
from tradebot_ops.settings import MAX_REPLICAS
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.plan import Action, plan

PARALLEL_DRAINS = 16


def scale(ops: Ops, typed: str, count: int, listen: Listener) -> Report:
    """Make exactly ``count`` replicas run and remember it for the next `up`.

    Leaving replicas get their stop signal, finish what they do within the service's grace period, and are then
    removed. Raises ``OpsError`` TB-0203 for a count, TB-0209 for a service that cannot be.
    """
    service = ops.stack.services[service_name(ops.stack, typed)]
    _check(service, count)
    with ops.state.lock("scale"):
        found = [instance for instance in ops.engine.list() if instance.service == service.name]
        if not ops.engine.list():
            raise OpsError("Nothing runs, so there is nothing to scale.", code="TB-0108", hint="tradebot up")
        desired = ops.desired_replicas | {service.name: count}
        ops.state.write_json(DESIRED, {"replicas": desired})
        warnings = _tell_redis(ops, service, count)
        stack = with_replicas(ops.stack, service.name, count)
        leaving = leavers(found, count, _activity(ops, service, found, count))
        _drain(ops, service, leaving, listen)
        added = _add(ops, stack, service.name, listen)
    return replace(_report(service, count, len(found), leaving, added), warnings=warnings)


def _tell_redis(ops: Ops, service: Service, count: int) -> tuple[str, ...]:
    """The API exports the number, so that an alert can say that workers are missing. Scaling works without."""
    if service.name != "worker" or "redis" not in ops.stack.services:
        return ()
    try:
        ops.redis.desire_workers(count)
    except OpsError as error:
        return (f"{error.message} Until the next `tradebot up`, WorkersBelowDesired counts on the old number.",)
    return ()


def with_replicas(stack: Stack, name: str, count: int) -> Stack:
    changed = replace(stack.services[name], replicas=count)
    return replace(stack, services={**stack.services, name: changed})


def _check(service: Service, count: int) -> None:
    if not service.scalable and count != 1:
        raise OpsError(
            f"{service.name} cannot be scaled: the stack knows it as a single instance.",
            code="TB-0209",
            hint="tradebot scale workers 4",
        )
    if not 0 <= count <= MAX_REPLICAS:
        raise OpsError(
            f"{count} is not a number of replicas; it must be from 0 to {MAX_REPLICAS}.",
            code="TB-0203",
            hint="tradebot scale workers 4",
        )


def leavers(found: Sequence[Instance], count: int, activity: Mapping[int, str]) -> list[tuple[Instance, str]]:
    """Who leaves when ``count`` are to stay, and why: idle ones first, newest first among equals.

    ``activity`` is what the heartbeats say, by replica number; replica 1, which alone publishes its port, is
    the last to leave.
    """
    ordered = sorted(
        found,
        key=lambda instance: (
            instance.number == 1,
            activity.get(instance.number, "") == "busy",
            -instance.number,
        ),
    )
    return [(instance, _why(instance, activity)) for instance in ordered[: max(0, len(found) - count)]]


def _why(instance: Instance, activity: Mapping[int, str]) -> str:
    doing = activity.get(instance.number)
    if doing == "busy":
        return "busy; finishes its job first"
    return "idle" if doing else "its heartbeat is unknown"


def _activity(ops: Ops, service: Service, found: Sequence[Instance], count: int) -> dict[int, str]:
    """What each replica does, by its heartbeat; empty when nobody can say (then the newest leave)."""
    if service.name != "worker" or len(found) <= count:
        return {}
    try:
        beats = {beat["name"]: beat["state"] for beat in ops.api.workers()}
    except OpsError:
        return {}
    return {
        instance.number: beats[name]
        for instance in found
        for name in (f"{service.name}-{instance.number}", instance.name, instance.id[:12])
        if name in beats
    }


def _drain(ops: Ops, service: Service, leaving: Sequence[tuple[Instance, str]], listen: Listener) -> None:
    def leave(instance: Instance, why: str) -> None:
        listen(Told(service.name, Phase.STOPPING, f"{service.name}-{instance.number}: {why}"))
        ops.engine.stop(instance, service.stop_grace)
        ops.engine.remove(instance)
        listen(Told(service.name, Phase.REMOVED, f"{service.name}-{instance.number}"))

    with ThreadPoolExecutor(max_workers=PARALLEL_DRAINS) as pool:
        list(pool.map(lambda pair: leave(*pair), leaving))


def _add(ops: Ops, stack: Stack, name: str, listen: Listener) -> list[int]:
    steps = [
        step
        for step in plan(stack, ops.engine.list(), services=[name]).steps
        if step.service == name and step.action in {Action.CREATE, Action.START}
    ]
    if steps:
        ops.engine.prepare(stack, lambda service, line: listen(Told(service, Phase.PREPARING, line)))
        converge(stack, steps, World(ops.engine, time.monotonic() + ops.settings.timeout), listen)
    return [step.number for step in steps]


def _report(
    service: Service, count: int, before: int, leaving: Sequence[tuple[Instance, str]], added: Sequence[int]
) -> Report:
    lines = [f"{service.name}: {before} -> {count}."]
    lines += [f"  removed {service.name}-{instance.number} ({why})" for instance, why in leaving]
    lines += [f"  added {service.name}-{number}" for number in added]
    data = {
        "service": service.name,
        "before": before,
        "replicas": count,
        "added": [f"{service.name}-{number}" for number in added],
        "removed": [{"name": f"{service.name}-{instance.number}", "why": why} for instance, why in leaving],
    }
    return Report("scale", data=data, sections=(Section(lines=tuple(lines)),))


def parse(service: str, count: str | None) -> tuple[str, int]:
    """``workers 6`` or the brief's ``workers=6``. Raises ``OpsError`` TB-0203 for anything else."""
    name, equals, tail = service.partition("=")
    text = tail if equals and count is None else count
    try:
        return name, int(text or "")
    except ValueError:
        raise OpsError(
            f"'{text or ''}' is not a number of replicas.", code="TB-0203", hint="tradebot scale workers 6"
        ) from None
