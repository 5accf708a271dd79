"""Request and response bodies of the API: the shapes that ``/docs`` shows."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.common.heartbeats import WorkerState
from services.common.ledger import Event, Fault, Job, State


class JobRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(min_length=1, max_length=100, examples=["backtest"])]
    payload: dict[str, Any] = Field(default_factory=dict, examples=[{"symbol": "AAPL"}])


class JobError(BaseModel):
    type: str
    message: str
    fingerprint: str
    fault: Fault = Field(description="A failure of the stack costs the job no attempt.")
    traceback: str | None = Field(description="Left out of lists.")


class JobOut(BaseModel):
    id: UUID
    type: str
    version: int
    state: State
    attempt: int
    max_attempts: int
    payload: dict[str, Any]
    progress: float = Field(description="0 to 1.")
    note: str
    result: dict[str, Any] | None = Field(description="Left out of lists.")
    error: JobError | None
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    retry_at: datetime | None
    cancel_requested_at: datetime | None
    worker: str | None
    deferrals: int = Field(description="Attempts given back, for the stack had failed.")
    kills: int = Field(description="Workers and processes lost while running this job.")
    replays: int = Field(description="How often it was dead and queued again.")
    peak_memory_bytes: int | None
    trace_id: str


class EventOut(BaseModel):
    at: datetime
    state: State
    by: str
    note: str


class JobDetail(JobOut):
    events: list[EventOut]


class JobList(BaseModel):
    jobs: list[JobOut]
    next: str | None = Field(description="Give it as `cursor` to get the next page; null on the last.")


class DeadGroupOut(BaseModel):
    fingerprint: str
    type: str
    error_type: str
    fault: Fault
    message: str = Field(description="Of one of them.")
    jobs: int
    replayed: int = Field(description="How many died again after a replay.")
    first_at: datetime
    last_at: datetime


class DeadGroupList(BaseModel):
    groups: list[DeadGroupOut]


class JobTypeOut(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)

    name: str
    version: int
    payload_schema: dict[str, Any] = Field(serialization_alias="schema")
    timeout_s: float
    max_attempts: int


class QuarantinedOut(BaseModel):
    name: str
    error: str


class JobTypeList(BaseModel):
    job_types: list[JobTypeOut]
    quarantined: list[QuarantinedOut] = Field(description="Plug-ins that could not be loaded, and why.")


class WorkerOut(BaseModel):
    name: str
    state: WorkerState
    job_id: str | None
    heartbeat_at: datetime
    age_s: float
    pid: int


class WorkerList(BaseModel):
    workers: list[WorkerOut]


class ErrorOut(BaseModel):
    fingerprint: str
    type: str
    message: str
    count: int
    first_seen: datetime
    last_seen: datetime
    where: str
    traceback: str


class ErrorList(BaseModel):
    errors: list[ErrorOut]


Health = Literal["ok", "degraded", "down"]


class DependencyOut(BaseModel):
    status: Health
    latency_ms: float | None = None
    detail: str = ""
    count: int | None = Field(default=None, description="Workers alive.")
    pending: int | None = Field(default=None, description="Jobs waiting.")
    dead: int | None = Field(default=None, description="Jobs in the dead letter queue.")


class HealthOut(BaseModel):
    status: Health
    version: str
    environment: str
    dependencies: dict[str, DependencyOut]


def job_out(job: Job) -> JobOut:
    return JobOut(**_fields(job))


def job_detail(job: Job, events: list[Event]) -> JobDetail:
    shown = [EventOut(at=event.at, state=event.state, by=event.by, note=event.note) for event in events]
    return JobDetail(**_fields(job), events=shown)


def _fields(job: Job) -> dict[str, Any]:
    fields = {name: getattr(job, name) for name in JobOut.model_fields if name != "error"}
    return fields | {"error": _error(job)}


def _error(job: Job) -> JobError | None:
    failure = job.failure
    if failure is None:
        return None
    return JobError(
        type=failure.error_type,
        message=failure.message,
        fingerprint=failure.fingerprint,
        fault=failure.fault,
        traceback=job.traceback,
    )
