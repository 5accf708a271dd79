"""Request and response bodies of the API: the shapes that ``/docs`` shows."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from services.common.heartbeats import WorkerState
from services.common.jobtypes import Wish
from services.common.ledger import Event, Fault, Job, State


class JobRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(min_length=1, max_length=100, examples=["backtest"])]
    payload: dict[str, Any] = Field(
        default_factory=dict, examples=[{"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 30}]
    )
    not_before: AwareDatetime | None = Field(default=None, description="The earliest start; with its zone.")
    notify: Wish | None = Field(
        default=None,
        description="Send news through Alertmanager's receiver `jobs`: of its `end`, or only when it is `dead`.",
    )


class ScheduleRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(min_length=1, max_length=100, examples=["load_candles"])]
    payload: dict[str, Any] = Field(default_factory=dict, examples=[{"symbols": ["AAPL"]}])
    cron: Annotated[
        str, Field(max_length=200, examples=["30 6 * * 1-5"], description="Five fields; or six, seconds first.")
    ]
    zone: Annotated[str, Field(max_length=100, examples=["Europe/Zurich"])] = "UTC"
    notify: Wish | None = Field(default=None, description="News of each of its jobs, as at a submission.")


class ScheduleChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    paused: Annotated[bool, Field(examples=[True])]


class ScheduleOut(BaseModel):
    name: str
    type: str
    version: int
    payload: dict[str, Any]
    cron: str
    zone: str
    paused: bool
    by: str
    created_at: datetime
    next_at: datetime | None = Field(description="Null where no further time exists.")
    last_at: datetime | None
    last_job: UUID | None
    missed: int = Field(description="Times that passed without a job: no worker was there, or the type was closed.")
    notify: Wish | None = Field(description="Of which ends of its jobs people are notified.")


class ScheduleList(BaseModel):
    schedules: list[ScheduleOut]


class QueueChange(BaseModel):
    """Changes of a rule; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    paused: bool | None = Field(default=None, description="No job of this type starts; what runs goes on.")
    closed: bool | None = Field(default=None, description="No new job of this type is accepted.")
    max_running: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, examples=[2], description="So many run at the same time; null: as the type declares."
    )
    reason: Annotated[str, Field(max_length=500, examples=["the exchange is away"])] = ""


class QueueOut(BaseModel):
    type: str
    waiting: int
    scheduled: int = Field(description="Queued, for a later time.")
    retrying: int
    running: int
    dead: int
    oldest_at: datetime | None = Field(description="Since when the first of the waiting ones could run.")
    paused: bool
    closed: bool
    max_running: int | None
    reason: str
    by: str | None
    at: datetime | None


class QueueList(BaseModel):
    queues: list[QueueOut]


class Purged(BaseModel):
    jobs: int
    complete: bool = Field(description="False where more may wait: ask again.")


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
    not_before: datetime | None = Field(description="The earliest start of a job that was submitted for later.")
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
    quarantined: bool = Field(description="Set aside: they count nowhere, and no replay of all takes them.")
    first_at: datetime
    last_at: datetime


class DeadGroupList(BaseModel):
    groups: list[DeadGroupOut]


class QuarantineOut(BaseModel):
    name: str = Field(description="A group's fingerprint, or a job type.")
    reason: str
    by: str
    at: datetime


class QuarantineList(BaseModel):
    quarantined: list[QuarantineOut]


class TypeStatsOut(BaseModel):
    type: str
    jobs: int
    succeeded: int
    dead: int
    cancelled: int
    took_median_s: float | None
    took_p95_s: float | None
    waited_median_s: float | None = Field(description="From the submission to the start of the last attempt.")
    waited_p95_s: float | None
    peak_memory_bytes: int | None


class TypeStatsList(BaseModel):
    types: list[TypeStatsOut]
    complete: bool = Field(description="False where there were more jobs than are looked at: the newest ones were.")


class RecoveredOut(BaseModel):
    id: UUID
    type: str
    worker: str = Field(description="The one that vanished, or was ended.")


class RecoveredList(BaseModel):
    jobs: list[RecoveredOut]


class JobTypeOut(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)

    name: str
    version: int
    payload_schema: dict[str, Any] = Field(alias="schema")
    timeout_s: float
    max_attempts: int


class QuarantinedOut(BaseModel):
    name: str
    error: str


class JobTypeList(BaseModel):
    job_types: list[JobTypeOut]
    quarantined: list[QuarantinedOut] = Field(description="Plug-ins that could not be loaded, and why.")


class OrderOut(BaseModel):
    drain: bool = Field(description="True: take no more jobs; false: take jobs again.")
    by: str
    reason: str
    at: datetime


class WorkerOut(BaseModel):
    name: str
    state: WorkerState
    job_id: str | None
    job_type: str | None
    job_since: datetime | None
    heartbeat_at: datetime
    age_s: float
    pid: int
    memory_bytes: int = Field(description="Of the worker and its job process.")
    version: str
    order: OrderOut | None = Field(description="The last one that an operator gave it.")


class WorkerList(BaseModel):
    workers: list[WorkerOut]


#: Postgres keeps no text with a NUL in it, so that nothing can be found by one.
STORABLE = r"^[^\x00]*$"


class BreakerOut(BaseModel):
    name: str
    open: bool
    failures: int = Field(description="In a row, while it is closed.")
    trips: int = Field(description="How often it opened.")
    opened_at: datetime | None = Field(description="The last time that it opened.")
    open_until: datetime | None = Field(description="When one call is let through; null while it is closed.")
    error: str = Field(description="The last failure of the service behind it.")


class BreakerList(BaseModel):
    breakers: list[BreakerOut]


class PositionOut(BaseModel):
    id: str
    symbol: str
    side: str
    amount: float
    price: float | None
    opened_at: datetime | None


class OrderAtExchangeOut(BaseModel):
    id: str
    symbol: str
    side: str
    type: str
    opens: bool = Field(description="It makes a position, or a larger one; others protect or end one.")
    remaining: float | None
    price: float | None


class BalanceOut(BaseModel):
    currency: str
    total: float
    free: float


class BotOut(BaseModel):
    """Null is not known; `problems` says why, by the part that could not be read."""

    adapter: str
    name: str | None
    mode: Literal["paper", "live"] | None
    state: str | None = Field(description="The bot's own word for it.")
    opening: bool | None = Field(description="Whether it may open positions.")
    exchange: str | None
    positions: list[PositionOut] | None
    orders: list[OrderAtExchangeOut] | None = Field(description="Those that rest at the exchange.")
    balance: list[BalanceOut] | None
    started_at: datetime | None
    last_loop_at: datetime | None
    last_loop_age_s: float | None
    last_candle_at: datetime | None = Field(description="When the newest candle that it has ended.")
    last_candle_age_s: float | None
    candle_s: float | None = Field(description="How long one candle lasts.")
    clock_offset_s: float | None = Field(description="By how much its clock is ahead of ours.")
    foreign_positions: list[str] | None = Field(
        description="Markets in which its account has a position that is not its own."
    )
    second_instance_at: datetime | None = Field(description="When another instance was last seen on its account.")
    second_instance: str = Field(description="What showed that; empty where nothing did within the hour.")
    not_compared: dict[str, str] = Field(description="Of BOT_OTHERS those that could not be read, and why.")
    read_at: dict[str, datetime | None] = Field(description="When each part was last read.")
    problems: dict[str, str]


class BotList(BaseModel):
    bots: list[BotOut]


class BotHaltRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    close: StrictBool = Field(
        default=False, examples=[False], description="Close what is open as well, at the market's price."
    )


class HaltedBots(BaseModel):
    bots: list[BotOut]
    failures: list[str] = Field(description="Orders that the bot did not take, and why.")
    cancelled: int = Field(description="Resting orders that the bot was asked to cancel, and took that.")


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


class HaltRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=STORABLE, examples=["fills look wrong"])]


class HaltOut(BaseModel):
    halted: bool
    at: datetime | None = Field(description="When the latest halt began; null where the stack was never halted.")
    by: str | None
    reason: str | None
    ended_at: datetime | None = Field(description="Null while it is in force.")
    ended_by: str | None
    ended_reason: str | None


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
