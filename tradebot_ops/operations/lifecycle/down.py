"""Take the stack down, dependants before what they depend on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge.drain import Drain
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.records import UsedEngines
from tradebot_ops.stack.model import Stack

#: Stopping is mostly waiting. Engines were seen to deadlock while ten containers stopped at once.
PARALLEL_STOPS = 8


def down(
    ops: Ops, on_progress: OnProgress, *, volumes: bool = False, drain: float | None = None, forced: str = ""
) -> Report:
    """Stop and remove everything of the project; data and secrets only with ``volumes``.

    Workers get ``drain`` seconds for their jobs, everything else its service's grace period. Raises what
    ``open_positions.check_flat`` raises, unless it is ``forced`` for that reason.
    """
    draining = Drain(ops, drain)
    typed = [*(["--volumes"] if volumes else []), *open_positions.words(forced)]
    with change(ops, "down", *typed, on_progress=on_progress):
        open_positions.check_flat(ops, forced)
        found = ops.engine.list()
        _take_down(draining, found, on_progress)
        gone = ops.engine.destroy(None, volumes=volumes)
        elsewhere = _forget(ops) if volumes else ()
    return Report(
        data={"stopped": [replica.label for replica in found], "removed": list(gone), "volumes": volumes},
        sections=(Section(lines=(_sentence(len(found), gone, volumes=volumes),)),),
        warnings=(*draining.warnings, *elsewhere),
    )


def _forget(ops: Ops) -> tuple[str, ...]:
    """All that the project remembers, unless it is on another engine, too: its data there needs the secrets."""
    left = ops.state.load(UsedEngines).without(ops.engine.name)
    if not left.engines:
        ops.state.forget()
        return ()
    ops.state.store(left)
    name = left.engines[0]
    remove = f"tradebot down --volumes --engine {name}"
    return (f"The project is on the {name} engine, too, so that its secrets stay. To remove it there: {remove}",)


def _take_down(draining: Drain, found: Sequence[Replica], on_progress: OnProgress) -> None:
    """A replica is removed while those that it depended on stop."""
    ops = draining.ops

    def remove(replica: Replica) -> None:
        ops.engine.remove(replica)
        on_progress(ProgressEvent(replica.service, Phase.REMOVED, replica.label))

    with ThreadPoolExecutor(max_workers=PARALLEL_STOPS) as pool:
        removals = [pool.submit(remove, replica) for replica in found if not replica.state.alive]
        for level in stop_levels(ops, found):
            _stop_all(draining, level, on_progress)
            removals += [pool.submit(remove, replica) for replica in level]
        for removal in removals:
            removal.result()


def _sentence(stopped: int, gone: Sequence[str], *, volumes: bool) -> str:
    if not stopped and not gone:
        return "Nothing was running."
    rest = " Data was removed." if volumes else " Data stays; `tradebot up` brings it back."
    return f"Stopped {stopped} replica{'' if stopped == 1 else 's'}.{rest}"


def stop_in_order(ops: Ops, found: Sequence[Replica], on_progress: OnProgress) -> None:
    """Stop what lives, dependants before what they depend on, those of one level at once."""
    for level in stop_levels(ops, found):
        _stop_all(Drain(ops), level, on_progress)


def stop_levels(ops: Ops, found: Sequence[Replica]) -> list[list[Replica]]:
    """Replicas that live: dependants before what they depend on, services that the stack does not know first of all."""
    alive = [replica for replica in found if replica.state.alive]
    try:
        needs = _needs(ops.stack)
    except OpsError:
        return [alive]  # a broken description must not keep anybody from stopping what runs
    levels = [[replica for replica in alive if replica.service not in needs]]
    left = {replica.service for replica in alive} & needs.keys()
    while left:
        free = {name for name in left if not any(name in needs[other] for other in left)}
        levels.append([replica for replica in alive if replica.service in free])
        left -= free
    return [level for level in levels if level]


def _needs(stack: Stack) -> dict[str, set[str]]:
    """Services that each one depends on, through others too: a migration in between has ended long ago."""
    needs: dict[str, set[str]] = {}
    for service in stack.in_order():
        direct = {dependency.service for dependency in service.depends_on}
        needs[service.name] = direct.union(*(needs[name] for name in direct))
    return needs


def _stop_all(draining: Drain, level: Sequence[Replica], on_progress: OnProgress) -> None:

    def stop(replica: Replica) -> None:
        on_progress(ProgressEvent(replica.service, Phase.STOPPING, replica.label))
        draining.stop(replica, _grace(draining.ops, replica))

    with ThreadPoolExecutor(max_workers=PARALLEL_STOPS) as pool:
        list(pool.map(stop, level))


def _grace(ops: Ops, replica: Replica) -> float:
    try:
        return ops.stack.services[replica.service].stop_grace
    except (OpsError, KeyError):
        return 10.0
