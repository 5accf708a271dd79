"""Remove what a project left behind: only its own, and only what nothing needs any more."""

from collections.abc import Sequence

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Leftover, Prunes, Replica
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.quantities import human_bytes

STOP_SECONDS = 10.0
#: A replica whose service left the stack; everything else is the engine's own.
REPLICA = "replica"


def leftovers(ops: Ops, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
    """Objects that `prune` would remove. Services that wait for their profile are not left over."""
    found = [Leftover(REPLICA, each.label, _why(each), each.id) for each in _orphans(ops, ops.engine.list())]
    if isinstance(ops.engine, Prunes):
        found += ops.engine.leftovers(ops.stack, images=images, volumes=volumes)
    return tuple(found)


def _orphans(ops: Ops, there: Sequence[Replica]) -> list[Replica]:
    described = {*ops.stack.services, *ops.stack.inactive}
    return [replica for replica in there if replica.service not in described]


def _why(replica: Replica) -> str:
    running = " and still runs" if replica.state.alive else ""
    return f"its service is not in the stack any more{running}"


def prune(ops: Ops, found: Sequence[Leftover], on_progress: OnProgress) -> Report:
    """Remove exactly these; what went meanwhile is fine. Raises ``OpsError`` at the first that cannot be removed."""
    with change(ops, "prune", *(leftover.name for leftover in found), on_progress=on_progress):
        there = {replica.id: replica for replica in ops.engine.list()}
        for leftover in found:
            on_progress(ProgressEvent(leftover.name, Phase.STOPPING, leftover.why))
            if leftover.kind == REPLICA and leftover.id in there:
                _end(ops, there[leftover.id])
            elif isinstance(ops.engine, Prunes):
                ops.engine.discard(leftover)
            on_progress(ProgressEvent(leftover.name, Phase.REMOVED))
    return report(found)


def _end(ops: Ops, replica: Replica) -> None:
    if replica.state.alive:
        ops.engine.stop(replica, STOP_SECONDS)
    ops.engine.remove(replica)


def report(found: Sequence[Leftover]) -> Report:
    """Report of what was removed, or that there was nothing."""
    freed = sum(each.size or 0 for each in found)
    line = "Nothing is left over."
    if found:
        line = f"Removed {len(found)}{f', {human_bytes(freed)} at most' if freed else ''}."
    rows = tuple((each.kind, each.name, each.why) for each in found)
    data = {
        "removed": [{"kind": each.kind, "name": each.name, "why": each.why, "bytes": each.size} for each in found],
        "bytes": freed,
    }
    tables = (Table(("removed", "name", "because"), rows),) if rows else ()
    return Report(data=data, sections=(Section(lines=(line,), tables=tables),))


def line(leftover: Leftover) -> str:
    """``volume demo_old: is not in the stack any more``"""
    return f"{leftover.kind} {leftover.name}: {leftover.why}"
