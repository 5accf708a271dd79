"""How a running operation tells what it does: one small event, told to whoever listens."""

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
class Told:
    """``service`` may be empty for something that concerns all; ``detail`` is one line."""

    service: str
    phase: Phase
    detail: str = ""


Listener = Callable[[Told], None]


def nobody(told: Told) -> None:
    """A listener for callers who do not care."""
