"""Jobs: submit, list, show, cancel."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Response

from services.api.dependencies import Dependencies
from services.api.problems import FieldError, Problem
from services.api.schemas import STORABLE, JobDetail, JobList, JobOut, JobRequest, job_detail, job_out
from services.api.security import Provided, Requester
from services.common.jobtypes import JobType, PayloadInvalid
from services.common.ledger import IdempotencyConflict, Job, QueueClosed, State, UnstorableValue
from services.common.transport import TransportUnavailable, queue_of

router = APIRouter(prefix="/jobs", tags=["jobs"])
log = structlog.get_logger(__name__)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same job gives the first job again; with another one it is a 409.",
    ),
]


def _job_id(job_id: str) -> UUID:
    """An id that cannot be one names no job either: 404, as for one that is merely unknown."""
    try:
        return UUID(job_id)
    except ValueError:
        raise Problem(404, f"There is no job {job_id!r}.") from None


JobId = Annotated[UUID, Depends(_job_id)]


@router.post("", status_code=202)
def submit(
    request: JobRequest,
    dependencies: Provided,
    response: Response,
    by: Requester,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Store a job and hand it to the workers, or keep it until `not_before`. While Redis is away it waits in the
    ledger: still 202. 409 while its type takes no new jobs, 423 while the stack is halted."""
    job_type, payload = checked(dependencies, request)
    try:
        submission = dependencies.ledger.submit(
            job_type.name,
            payload,
            version=job_type.version,
            max_attempts=job_type.max_attempts,
            idempotency_key=idempotency_key,
            not_before=request.not_before,
            notify=request.notify or job_type.notify,
            by=by,
            trace_id=structlog.contextvars.get_contextvars().get("trace_id", ""),
        )
    except IdempotencyConflict as error:
        raise Problem(409, f"{error}.", errors=[("Idempotency-Key", "was used for another job")]) from error
    except QueueClosed as error:
        raise Problem(409, f"{error}.") from error
    except UnstorableValue as error:
        raise Problem(422, f"payload: {error}", errors=[("payload", str(error))]) from error
    if submission.created:
        if submission.job.not_before is None:
            send(dependencies, submission.job)
        dependencies.metrics.counter("job_submissions_total").labels(job_type.name).inc()
    else:
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Location"] = f"/jobs/{submission.job.id}"
    return job_out(submission.job)


@router.get("")
def list_jobs(
    dependencies: Provided,
    state: State | None = None,
    type: Annotated[str | None, Query(max_length=100, pattern=STORABLE)] = None,  # noqa: A002 - the parameter's public name
    fingerprint: Annotated[
        str | None, Query(max_length=200, pattern=STORABLE, description="Of the failure: one group.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, pattern=STORABLE)] = None,
    id: Annotated[  # noqa: A002 - the parameter's public name
        str | None, Query(max_length=36, pattern="^[0-9a-fA-F-]+$", description="The beginning of an id.")
    ] = None,
    traceback: Annotated[bool, Query(description="With the tracebacks of failures.")] = False,
) -> JobList:
    """Newest first, a page at a time; without results and tracebacks, which may be large."""
    try:
        jobs, following = dependencies.ledger.list_jobs(
            state=state,
            type=type,
            fingerprint=fingerprint,
            limit=limit,
            cursor=cursor,
            beginning=id,
            tracebacks=traceback,
        )
    except ValueError as error:
        raise Problem(422, f"cursor: {error}", errors=[("cursor", str(error))]) from error
    return JobList(jobs=[job_out(job) for job in jobs], next=following)


@router.get("/{job_id}")
def show(job_id: JobId, dependencies: Provided) -> JobDetail:
    """One job in full, with everything that happened to it."""
    return job_detail(known(dependencies, job_id), dependencies.ledger.events(job_id))


@router.delete("/{job_id}", status_code=202)
def cancel(job_id: JobId, dependencies: Provided, by: Requester) -> JobOut:
    """End a waiting job at once; ask the worker of a running one to stop it. 409 when it is over already."""
    job = dependencies.ledger.request_cancel(job_id, by=by)
    if job is None:
        over = known(dependencies, job_id)
        raise Problem(409, f"The job is already {over.state.value}.")
    return job_out(job)


def checked(dependencies: Dependencies, request: JobRequest) -> tuple[JobType, dict[str, Any]]:
    """The type, and the payload as it is stored; 422 naming every field that is wrong."""
    job_type = _job_type(dependencies, request.type)
    return job_type, _payload(job_type, request.payload)


def _job_type(dependencies: Dependencies, name: str) -> JobType:
    job_type = dependencies.job_types.get(name)
    if job_type is None:
        raise _invalid([("type", _why_unknown(dependencies, name))])
    return job_type


def _why_unknown(dependencies: Dependencies, name: str) -> str:
    for broken in dependencies.job_types.quarantined:
        if broken.name == name:
            return f"{name!r} could not be loaded: {broken.error}"
    return f"{name!r} is unknown; one of {', '.join(sorted(dependencies.job_types.types))}"


def _payload(job_type: JobType, raw: dict[str, Any]) -> dict[str, Any]:
    try:
        return job_type.normalise(raw)
    except PayloadInvalid as error:
        raise _invalid([(f"payload.{name}" if name else "payload", why) for name, why in error.errors]) from error


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "; ".join(f"{name}: {why}" for name, why in errors), errors=errors)


def known(dependencies: Dependencies, job_id: UUID) -> Job:
    """The job; 404 where there is none."""
    job = dependencies.ledger.get(job_id)
    if job is None:
        raise Problem(404, f"There is no job {job_id}.")
    return job


def send(dependencies: Dependencies, job: Job) -> None:
    """Hand the job to the workers, or leave it to the sweeper."""
    send_id(dependencies, job.id, job.type)


def send_id(dependencies: Dependencies, job_id: UUID, job_type: str, *, ahead: bool = False) -> None:
    """Hand the id to the workers, or leave it to the sweeper; ``ahead`` of others, where it has waited already."""
    try:
        dependencies.transport.send(job_id, queue_of(dependencies.job_types.get(job_type)), ahead=ahead)
    except TransportUnavailable as error:
        log.warning("job waits in the ledger", job_id=str(job_id), reason=str(error))
        dependencies.ledger.unsent(job_id)
