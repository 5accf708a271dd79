"""Shapes of the ledger: what a job looks like from outside, and what a worker holds while it runs one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

KILL_LIMIT = 3
SPARE_S = 15.0
"""Beyond its lease a worker that beats keeps its job for so long: a busy host or a lock delays renewals."""

"""A job that lost its worker or its own process this many times is poison: ``dead`` instead of running again."""


class State(StrEnum):
    """Where a job stands. ``succeeded``, ``dead`` and ``cancelled`` are final."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in {State.SUCCEEDED, State.DEAD, State.CANCELLED}


class Renewal(StrEnum):
    """State of a lease, returned when a worker renews it or reports progress."""

    HELD = "held"
    """The job is still ours: go on."""
    CANCEL = "cancel"
    """Still ours, and its end was requested: stop the child, then call ``Ledger.cancelled``."""
    LOST = "lost"
    """Another worker took it over: stop the child and throw its result away."""


class Fault(StrEnum):
    """Whose fault a failure is."""

    JOB = "job"
    """It counts as an attempt."""
    STACK = "stack"
    """Postgres gone, a connection lost, no process to be had: the attempt is given back, and the job waits."""


class IdempotencyConflict(Exception):  # noqa: N818 - reads as what it is
    """The idempotency key was used before, for another type or payload."""


class UnstorableValue(ValueError):  # noqa: N818 - reads as what it is
    """Not JSON to Postgres: NaN, infinity, a NUL character or a lone surrogate."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. ``fingerprint`` groups equal failures (see ``services.common.fingerprint``).

    ``final``: another attempt would fail in the same way. ``killed``: the job's process was lost with it. ``wait_s``:
    how long what the stack lacks will be away, where that is known.
    """

    error_type: str
    message: str
    traceback: str = ""
    fingerprint: str = ""
    fault: Fault = Fault.JOB
    final: bool = False
    killed: bool = False
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one attempt of a job, until its lease ends.

    ``lease_token`` is the fencing token: it grows at every claim, by a random step, and never falls, so a worker that
    was believed dead cannot write over its successor.
    """

    id: UUID
    type: str
    version: int
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    deferrals: int
    kills: int
    lease_token: int
    worker: str
    trace_id: str
    submitted_at: datetime
    limited: bool = False
    """Its end makes room for another job of its type."""
    parent: UUID | None = None
    part: int | None = None
    parts: int | None = None
    """In so many parts the job is done. One without a ``parent`` joins their results; else it is ``part``, from 0."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A job that a claim has ended, since its worker vanished and it must not run again.

    ``state`` is ``dead``, or ``cancelled`` when that was asked for. Of all claimers one alone gets this.
    """

    type: str
    state: State


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger. Lists leave ``result`` and ``traceback`` out (None): they may be large."""

    id: UUID
    type: str
    version: int
    payload: dict[str, Any]
    state: State
    attempt: int
    max_attempts: int
    deferrals: int
    kills: int
    replays: int
    worker: str | None
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    retry_at: datetime | None
    cancel_requested_at: datetime | None
    progress: float
    note: str
    result: dict[str, Any] | None
    error_type: str | None
    message: str | None
    traceback: str | None
    fingerprint: str | None
    fault: str | None
    peak_memory_bytes: int | None
    trace_id: str
    not_before: datetime | None

    @property
    def failure(self) -> Failure | None:
        if self.error_type is None:
            return None
        fault = Fault(self.fault or Fault.JOB)
        return Failure(self.error_type, self.message or "", self.traceback or "", self.fingerprint or "", fault)


@dataclass(frozen=True, slots=True)
class Submission:
    """A stored job, and whether this call created it (an idempotency key can lead to an older one)."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True)
class Due:
    """An id to send (again), in ``delay_s`` seconds. ``taken_over``: its worker vanished, so it has waited once."""

    id: UUID
    type: str
    taken_over: bool
    delay_s: float


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead jobs that failed alike. ``replayed`` of them died again after a replay; ``message`` is one of theirs."""

    fingerprint: str
    type: str
    error_type: str
    fault: Fault
    message: str
    jobs: int
    replayed: int
    first_at: datetime
    last_at: datetime
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Dead jobs whose fingerprint or type is ``name`` are set aside: no alert, no replay of all."""

    name: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """A running job whose worker has vanished, and which is to be sent again."""

    id: UUID
    type: str
    worker: str


@dataclass(frozen=True, slots=True)
class TypeStats:
    """Figures of jobs of one type that ended. A wait is that from the submission to the last attempt's start."""

    type: str
    jobs: int
    succeeded: int
    dead: int
    cancelled: int
    took_median_s: float | None
    took_p95_s: float | None
    waited_median_s: float | None
    waited_p95_s: float | None
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """One transition of a job. ``by`` is who caused it: ``api``, a worker's name, ``sweeper``."""

    at: datetime
    state: State
    by: str
    note: str
