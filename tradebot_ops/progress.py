"""Progress of an operation: one small event for each step of a service."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where one service stands; the words are shown to people."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    STOPPING = "stopping"
    READY = "ready"
    DONE = "done"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class ProgressEvent:
    """``service`` may be empty for something that concerns all; ``detail`` is one line."""

    service: str
    phase: Phase
    detail: str = ""


#: Takes events as they come; operations call it from several threads.
OnProgress = Callable[[ProgressEvent], None]


def ignore_progress(*_ignored: object) -> None:
    """For callers who show no progress, whatever form it comes in: events, lines of an engine, a job."""
