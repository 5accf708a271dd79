"""Stop, start and restart what exists. What starts again is made anew first where its description changed."""

from collections.abc import Sequence

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.facts.metrics.monitoring import PROFILE
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.operations.converge.reload import answers_of
from tradebot_ops.operations.lifecycle.down import stop_in_order
from tradebot_ops.operations.select import chosen_replicas, refuse_unknown
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.stack.plan import Action, Step


def stop(ops: Ops, services: Sequence[str], on_progress: OnProgress, *, forced: str = "") -> Report:
    """Stop services and leave them in place; `start` continues them. Raises as ``restart``."""
    with change(ops, "stop", *services, *open_positions.words(forced), on_progress=on_progress):
        _check_flat(ops, services, forced)
        found = [replica for replica in _named(ops, services) if replica.state.alive]
        stop_in_order(ops, found, on_progress)
    return _report(found, "Stopped", "Nothing of that was running.")


def start(ops: Ops, services: Sequence[str], on_progress: OnProgress) -> Report:
    """Start what was stopped, as it was; what never existed is for `up`."""
    with change(ops, "start", *services, on_progress=on_progress):
        found = [replica for replica in _long_running(ops, services) if not replica.state.alive]
        if found:
            ops.engine.prepare(
                ops.stack, lambda service, line: on_progress(ProgressEvent(service, Phase.PREPARING, line))
            )
            _converge(ops, Action.START, found, on_progress)
    return _report(found, "Started", "Nothing was stopped. What does not exist yet is made by: tradebot up")


def restart(
    ops: Ops, services: Sequence[str], on_progress: OnProgress, *, rolling: bool = False, forced: str = ""
) -> Report:
    """Stop and start services, in dependency order, and wait until they are ready again.

    With ``rolling`` one replica at a time, each ready before the next: what has several stays reachable. The first
    that does not come back ends it, and the others go on as they were. Raises what ``open_positions.check_flat``
    raises, unless it is ``forced`` for that reason, or the monitoring alone is meant.
    """
    with change(ops, "restart", *services, *open_positions.words(forced), on_progress=on_progress):
        _check_flat(ops, services, forced)
        found = _long_running(ops, services)
        for together in _one_by_one(ops, found) if rolling else [found]:
            _converge(ops, Action.RESTART, together, on_progress)
    return _report(found, "Restarted", "Nothing of that runs. Start it with: tradebot up")


def _check_flat(ops: Ops, services: Sequence[str], forced: str) -> None:
    meant = {found.service for found in _named(ops, services)}
    if any(PROFILE not in service.profiles for name, service in ops.stack.services.items() if name in meant):
        open_positions.check_flat(ops, forced)


def _one_by_one(ops: Ops, found: Sequence[Replica]) -> list[list[Replica]]:
    order = [service.name for service in ops.stack.in_order()]
    return [[each] for each in sorted(found, key=lambda each: (order.index(each.service), each.number))]


def _long_running(ops: Ops, services: Sequence[str]) -> list[Replica]:
    one_shots = {service.name for service in ops.stack.services.values() if service.one_shot}
    return [found for found in _named(ops, services) if found.service not in one_shots]


def _named(ops: Ops, services: Sequence[str]) -> list[Replica]:
    chosen = chosen_replicas(ops.stack, services)
    there = ops.engine.list()
    refuse_unknown(chosen, there)
    return [found for found in there if chosen.holds(found)]


def _converge(ops: Ops, action: Action, found: Sequence[Replica], on_progress: OnProgress) -> None:
    steps = [Step(action, replica.service, replica.number, "asked for") for replica in found]
    converge(ops.stack, steps, EngineView(ops.engine, ops.settings.timeout), answers_of(ops), on_progress).check()


def _report(found: Sequence[Replica], verb: str, nothing: str) -> Report:
    replicas = [replica.label for replica in found]
    line = f"{verb} {', '.join(replicas)}." if replicas else nothing
    return Report(data={"replicas": replicas}, sections=(Section(lines=(line,)),))
