"""Take the stack down, dependants before what they depend on."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Instance, State
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.converge import PARALLEL_STARTS
from tradebot_ops.operations.progress import Listener, Phase, Told

LIVE = {State.RUNNING, State.STARTING, State.RESTARTING, State.PAUSED}


def down(ops: Ops, listen: Listener, *, volumes: bool = False) -> Report:
    """Stop and remove everything of the project; data and secrets only with ``volumes``."""
    with ops.state.lock("down"):
        found = ops.engine.list()
        in_stop_order(ops, found, lambda instance: _leave(ops, instance, listen))
        gone = ops.engine.destroy(None, volumes=volumes)
        if volumes:
            ops.state.forget()
    return Report(
        "down",
        data={"stopped": [names(instance) for instance in found], "removed": list(gone), "volumes": volumes},
        sections=(Section(lines=(_sentence(len(found), gone, volumes=volumes),)),),
    )


def _sentence(stopped: int, gone: Sequence[str], *, volumes: bool) -> str:
    if not stopped and not gone:
        return "Nothing was running."
    rest = " Data was removed." if volumes else " Data stays; `tradebot up` brings it back."
    return f"Stopped {stopped} replica{'' if stopped == 1 else 's'}.{rest}"


def names(instance: Instance) -> str:
    return f"{instance.service}-{instance.number}"


def in_stop_order(ops: Ops, found: Sequence[Instance], act: Callable[[Instance], None]) -> None:
    """Do something to replicas, level by level, those of one level at once."""
    for level in _stop_levels(ops, found):
        with ThreadPoolExecutor(max_workers=PARALLEL_STARTS) as pool:
            list(pool.map(act, level))


def _stop_levels(ops: Ops, found: Sequence[Instance]) -> list[list[Instance]]:
    """Dependants before what they depend on; services that the stack does not know go first."""
    try:
        services = {service.name: {d.service for d in service.depends_on} for service in ops.stack.in_order()}
    except OpsError:
        return [list(found)]  # a broken description must not keep anybody from stopping what runs
    levels = [[instance for instance in found if instance.service not in services]]
    left = {instance.service for instance in found} & services.keys()
    while left:
        free = {name for name in left if not any(name in services[other] for other in left)}
        levels.append([instance for instance in found if instance.service in free])
        left -= free
    return [level for level in levels if level]


def _leave(ops: Ops, instance: Instance, listen: Listener) -> None:
    stop_one(ops, instance, listen)
    ops.engine.remove(instance)
    listen(Told(instance.service, Phase.REMOVED, names(instance)))


def stop_one(ops: Ops, instance: Instance, listen: Listener) -> None:
    """Stop a replica that lives, within its service's grace period."""
    if instance.state in LIVE:
        listen(Told(instance.service, Phase.STOPPING, names(instance)))
        ops.engine.stop(instance, _grace(ops, instance))


def _grace(ops: Ops, instance: Instance) -> float:
    try:
        return ops.stack.services[instance.service].stop_grace
    except (OpsError, KeyError):
        return 10.0
