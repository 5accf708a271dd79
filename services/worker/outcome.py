"""How an attempt can end, as seen by the parent of the job's process."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.common.ledger import Failure


class Stop(StrEnum):
    """Reasons to end a running job before it is done."""

    CANCEL = "cancel"
    """An operator asked; the job is over."""
    LOST = "lost"
    """Another worker took the job over; what this one makes of it counts for nothing."""
    SHUTDOWN = "shutdown"
    """This worker ends; the job goes back to the queue."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    result: dict[str, Any]
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Parted:
    """The job is to be done in so many parts."""

    count: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Ended on demand; ``forced`` when it took a SIGKILL."""

    why: Stop
    forced: bool
    peak_bytes: int


Outcome = Succeeded | Parted | Failed | Stopped
