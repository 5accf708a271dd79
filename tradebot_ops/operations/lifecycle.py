"""Bring the stack up, take it down, and what lies between: start, stop, restart."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Instance, State
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations import canary, secrets
from tradebot_ops.operations.converge import PARALLEL_STARTS, converge
from tradebot_ops.operations.progress import Listener, Phase, Told
from tradebot_ops.operations.readiness import World
from tradebot_ops.operations.select import chosen_services, with_dependencies
from tradebot_ops.operations.status import status
from tradebot_ops.stack.plan import Action, Plan, Step, plan

LIVE = {State.RUNNING, State.STARTING, State.RESTARTING, State.PAUSED}


def up(
    ops: Ops, services: Sequence[str], listen: Listener, *, prove: bool = True, remove_orphans: bool = False
) -> Report:
    """Make the world match the stack and prove it: every replica answers, and a canary job goes all the way.

    Raises ``OpsError``; whatever was made until then is left for the next `up` or `down`.
    """
    wanted = with_dependencies(ops.stack, chosen_services(ops.stack, services))
    with ops.state.lock("up"):
        made = secrets.ensure(ops.stack, ops.state)
        ops.engine.prepare(ops.stack, lambda service, line: listen(Told(service, Phase.PREPARING, line)))
        planned = plan(ops.stack, ops.engine.list(), services=wanted, remove_orphans=remove_orphans)
        world = World(ops.engine, deadline=time.monotonic() + ops.settings.timeout)
        converge(ops.stack, planned.steps, world, listen)
    proof = canary.run(ops, listen) if prove and {"api", "worker"} <= set(wanted) else None
    return _up_report(ops, wanted, planned, made, proof)


def _up_report(
    ops: Ops, wanted: Sequence[str], planned: Plan, made: Sequence[str], proof: canary.Proof | None
) -> Report:
    shown = status(ops, wanted, command="up")
    changed = planned.changes
    said = []
    if made:
        said.append(f"Generated secrets: {', '.join(made)} (in {ops.state.secrets}).")
    said.append(_change_line(changed))
    if proof is not None:
        said.append(proof.sentence)
    data = {
        **dict(shown.data if isinstance(shown.data, dict) else {}),
        "changes": [
            {"action": str(s.action), "service": s.service, "number": s.number, "reason": s.reason} for s in changed
        ],
        "canary": proof.data if proof is not None else None,
    }
    return Report(
        "up",
        data=data,
        findings=shown.findings,
        sections=(Section(lines=tuple(said)), *shown.sections, Section(title="Next", lines=NEXT)),
        warnings=shown.warnings,
    )


NEXT = (
    "  tradebot jobs submit load_candles --wait",
    "  tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30 --wait",
    "  tradebot status   tradebot logs -f   tradebot scale workers 4   tradebot down",
)


def _change_line(changed: Sequence[Step]) -> str:
    if not changed:
        return "Nothing to change: everything runs as described."
    counts: dict[str, int] = {}
    for step in changed:
        counts[str(step.action)] = counts.get(str(step.action), 0) + 1
    return "Changed: " + ", ".join(f"{count} {action}" for action, count in sorted(counts.items())) + "."


def down(ops: Ops, listen: Listener, *, volumes: bool = False) -> Report:
    """Stop and remove everything of the project, dependants first; data only with ``volumes``."""
    with ops.state.lock("down"):
        found = ops.engine.list()
        for level in _stop_levels(ops, found):
            _each(level, lambda instance: _leave(ops, instance, listen))
        gone = ops.engine.destroy(None, volumes=volumes)
        if volumes:
            ops.state.forget()
    names = [f"{instance.service}-{instance.number}" for instance in found]
    if not found and not gone:
        line = "Nothing was running."
    else:
        line = f"Stopped {len(found)} replicas." + (
            " Data was removed." if volumes else " Data stays; `tradebot up` brings it back."
        )
    return Report(
        "down",
        data={"stopped": names, "removed": list(gone), "volumes": volumes},
        sections=(Section(lines=(line,)),),
    )


def _stop_levels(ops: Ops, found: Sequence[Instance]) -> list[list[Instance]]:
    """Dependants before what they depend on; services that the stack does not know go first."""
    try:
        order = [service.name for service in ops.stack.in_order()]
        depends = {name: {d.service for d in ops.stack.services[name].depends_on} for name in order}
    except OpsError:
        return [list(found)]  # a broken description must not keep anybody from stopping what runs
    levels: list[list[Instance]] = [[instance for instance in found if instance.service not in order]]
    left = [name for name in order if any(instance.service == name for instance in found)]
    while left:
        free = [name for name in left if not any(name in depends[other] for other in left)]
        levels.append([instance for instance in found if instance.service in free])
        left = [name for name in left if name not in free]
    return [level for level in levels if level]


def _leave(ops: Ops, instance: Instance, listen: Listener) -> None:
    listen(Told(instance.service, Phase.STOPPING, instance.name))
    if instance.state in LIVE:
        ops.engine.stop(instance, _grace(ops, instance))
    ops.engine.remove(instance)
    listen(Told(instance.service, Phase.REMOVED, instance.name))


def _grace(ops: Ops, instance: Instance) -> float:
    try:
        return ops.stack.services[instance.service].stop_grace
    except (OpsError, KeyError):
        return 10.0


def _each(instances: Sequence[Instance], act: Callable[[Instance], None]) -> None:
    with ThreadPoolExecutor(max_workers=PARALLEL_STARTS) as pool:
        list(pool.map(act, instances))


def stop(ops: Ops, services: Sequence[str], listen: Listener) -> Report:
    """Stop services and leave them in place; `start` continues them."""
    names = chosen_services(ops.stack, services)
    with ops.state.lock("stop"):
        found = [instance for instance in ops.engine.list() if instance.service in names and instance.state in LIVE]
        for level in _stop_levels(ops, found):
            _each(level, lambda instance: _halt(ops, instance, listen))
    return _told("stop", found, "Stopped", "Nothing of that was running.")


def _halt(ops: Ops, instance: Instance, listen: Listener) -> None:
    listen(Told(instance.service, Phase.STOPPING, instance.name))
    ops.engine.stop(instance, _grace(ops, instance))


def start(ops: Ops, services: Sequence[str], listen: Listener) -> Report:
    """Start what was stopped, as it was; what never existed is for `up`."""
    names = set(chosen_services(ops.stack, services))
    with ops.state.lock("start"):
        found = [
            instance
            for instance in ops.engine.list()
            if instance.service in names
            and instance.state not in LIVE
            and not ops.stack.services[instance.service].one_shot
        ]
        steps = [Step(Action.START, instance.service, instance.number, "was stopped") for instance in found]
        if steps:
            ops.engine.prepare(ops.stack, lambda service, line: listen(Told(service, Phase.PREPARING, line)))
            converge(ops.stack, steps, World(ops.engine, time.monotonic() + ops.settings.timeout), listen)
    return _told("start", found, "Started", "Nothing was stopped. What does not exist yet is made by: tradebot up")


def restart(ops: Ops, services: Sequence[str], listen: Listener) -> Report:
    """Stop and start services, in dependency order, and wait until they are ready again."""
    names = chosen_services(ops.stack, services)
    with ops.state.lock("restart"):
        found = [
            instance
            for instance in ops.engine.list()
            if instance.service in names and not ops.stack.services[instance.service].one_shot
        ]
        steps = [Step(Action.RESTART, instance.service, instance.number, "asked for") for instance in found]
        world = World(ops.engine, time.monotonic() + ops.settings.timeout)
        converge(ops.stack, steps, world, listen)
    return _told("restart", found, "Restarted", "Nothing of that runs. Start it with: tradebot up")


def _told(command: str, found: Sequence[Instance], verb: str, nothing: str) -> Report:
    names = [f"{instance.service}-{instance.number}" for instance in found]
    line = f"{verb} {', '.join(names)}." if names else nothing
    return Report(command, data={"replicas": names}, sections=(Section(lines=(line,)),))
