"""Turn the supervisor's answer about one replica into an ``Replica``."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tradebot_ops.engines.base import Address, Published, Replica, State
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.observing import events
from tradebot_ops.engines.local.records import Record
from tradebot_ops.text.labels import label

_STATES = {
    "STARTING": State.RUNNING,  # the process runs; whether it is ready is for a probe to say
    "RUNNING": State.RUNNING,
    "STOPPING": State.RUNNING,
    "BACKOFF": State.RESTARTING,
    "EXITED": State.EXITED,
    "FATAL": State.FAILED,
    "UNKNOWN": State.FAILED,
}
_ENDED = frozenset({State.EXITED, State.FAILED, State.RESTARTING})


def replica_of(
    record: Record,
    answer: Mapping[str, Any] | None,
    left: Sequence[int] | None,
    layout: Layout,
    ports: Mapping[str, Mapping[str, int]],
    project: str,
) -> Replica:
    """``answer`` is the supervisor's, ``left`` the processes found where no supervisor runs."""
    down = State.EXITED if record.started else State.CREATED
    if answer is not None:
        state = _STATES.get(answer["statename"], down)
        pid = answer["pid"] or None
    else:
        state = State.RUNNING if left else down
        pid = left[0] if left else None
    return Replica(
        service=record.service,
        number=record.number,
        id=record.label,
        name=f"{project}-{record.label}",
        state=state,
        spec_hash=record.spec_hash if _told_right(record, ports) else "",
        content_hash=record.content_hash,
        exit_code=_exit_code(record, answer, layout) if state in _ENDED else None,
        restarts=_restarts(record, layout),
        pid=pid,
        started_at=_started_at(answer["start"], record, layout) if answer and answer["start"] else None,
        image=record.image,
        published=tuple(
            Published(target, Address(record.reachable, local))
            for target in record.published
            if (local := record.ports.get(str(target))) is not None
        ),
    )


def _started_at(seconds: int, record: Record, layout: Layout) -> datetime:
    """The supervisor knows whole seconds, in which an earlier life may have ended. The launch script touches a file at
    each start, which has the moment.
    """
    try:
        touched = layout.start_count(record.label).stat().st_mtime
    except FileNotFoundError:
        touched = 0.0
    return datetime.fromtimestamp(max(touched, seconds), UTC)


def _told_right(record: Record, ports: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether the ports of others it was started with still hold; else it must be recreated."""
    for name, local in record.refers.items():
        host, _, port = name.rpartition(":")
        if ports.get(label(host, 1), {}).get(port, local) != local:
            return False
    return True


def _exit_code(record: Record, answer: Mapping[str, Any] | None, layout: Layout) -> int | None:
    """The supervisor forgets the status of a process that died early or by a signal; its log has it."""
    if answer is not None and answer["statename"] == "EXITED" and answer["exitstatus"] >= 0:
        return int(answer["exitstatus"])
    return events.last_exit(layout, record.label)


def _restarts(record: Record, layout: Layout) -> int:
    """The launch script adds a byte per start; the first one is not a restart."""
    try:
        return max(layout.start_count(record.label).stat().st_size - 1, 0)
    except FileNotFoundError:
        return 0
