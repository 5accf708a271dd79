"""The past as containers themselves remember it. The engine keeps the last 256 events of all its containers, and
the commands of health checks are events: a start of two minutes ago is forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.engines.base import Event
from tradebot_ops.engines.docker.observing.observe import parse_time
from tradebot_ops.engines.docker.spec import owner

#: Ended by SIGKILL; whether a `stop` asked for it is forgotten with the events.
SIGKILLED = 137
#: A container dates its start a moment before or after the engine does.
SAME = timedelta(seconds=5)


def remembered(containers: Sequence[Mapping[str, Any]], since: datetime) -> list[Event]:
    """The last start and the last end of each container after ``since``, the oldest first."""
    found = [event for raw in containers for event in _of(raw) if event.at >= since]
    return sorted(found, key=lambda event: event.at)


def _of(raw: Mapping[str, Any]) -> Iterator[Event]:
    state, labels = raw["State"], raw["Config"].get("Labels") or {}
    service, number = owner(labels)
    started, ended = (parse_time(state.get(name, "")) for name in ("StartedAt", "FinishedAt"))
    if started:
        yield Event(started, service, number, "start")
    if ended:
        # One that runs again shows the exit code of now.
        known = (not started or ended >= started) and state.get("ExitCode") != SIGKILLED
        yield Event(ended, service, number, "die", state.get("ExitCode") if known else None)
    if ended and state.get("OOMKilled"):
        yield Event(ended, service, number, "oom")


def same(one: Event, other: Event) -> bool:
    """Return whether both describe one event."""
    return (one.label, one.action) == (other.label, other.action) and abs(one.at - other.at) < SAME
