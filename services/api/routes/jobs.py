"""Jobs: submit, list, show, cancel."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Response

from services.api.dependencies import Dependencies
from services.api.problems import FieldError, Problem
from services.api.schemas import JobDetail, JobList, JobOut, JobRequest, job_detail, job_out
from services.api.security import Provided, WithApiKey
from services.common.jobtypes import JobType, PayloadInvalid
from services.common.ledger import IdempotencyConflict, Job, State, UnstorableValue
from services.common.transport import TransportUnavailable

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


@router.post("", status_code=202, dependencies=[WithApiKey])
def submit(
    request: JobRequest, dependencies: Provided, response: Response, idempotency_key: IdempotencyKey = None
) -> JobOut:
    """Store a job and hand it to the workers. While Redis is away the job waits in the ledger: still 202."""
    job_type = _job_type(dependencies, request.type)
    payload = _payload(job_type, request.payload)
    try:
        submission = dependencies.ledger.submit(
            job_type.name,
            payload,
            version=job_type.version,
            max_attempts=job_type.max_attempts,
            idempotency_key=idempotency_key,
            trace_id=structlog.contextvars.get_contextvars().get("trace_id", ""),
        )
    except IdempotencyConflict as error:
        raise Problem(409, f"{error}.", errors=[("Idempotency-Key", "was used for another job")]) from error
    except UnstorableValue as error:
        raise Problem(422, f"payload: {error}", errors=[("payload", str(error))]) from error
    if submission.created:
        send(dependencies, submission.job)
        dependencies.metrics.counter("job_submissions_total").labels(job_type.name).inc()
    response.headers["Location"] = f"/jobs/{submission.job.id}"
    return job_out(submission.job)


@router.get("")
def list_jobs(
    dependencies: Provided,
    state: State | None = None,
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002 - the parameter's public name
    fingerprint: Annotated[str | None, Query(max_length=200, description="Of the failure: one group.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    id: Annotated[  # noqa: A002 - the parameter's public name
        str | None, Query(max_length=36, pattern="^[0-9a-fA-F-]+$", description="The beginning of an id.")
    ] = None,
) -> JobList:
    """Newest first, a page at a time; without results and tracebacks, which may be large."""
    try:
        jobs, following = dependencies.ledger.list_jobs(
            state=state, type=type, fingerprint=fingerprint, limit=limit, cursor=cursor, beginning=id
        )
    except ValueError as error:
        raise Problem(422, f"cursor: {error}", errors=[("cursor", str(error))]) from error
    return JobList(jobs=[job_out(job) for job in jobs], next=following)


@router.get("/{job_id}")
def show(job_id: JobId, dependencies: Provided) -> JobDetail:
    """One job in full, with everything that happened to it."""
    return job_detail(known(dependencies, job_id), dependencies.ledger.events(job_id))


@router.delete("/{job_id}", status_code=202, dependencies=[WithApiKey])
def cancel(job_id: JobId, dependencies: Provided) -> JobOut:
    """End a waiting job at once; ask the worker of a running one to stop it. 409 when it is over already."""
    job = dependencies.ledger.request_cancel(job_id)
    if job is None:
        over = known(dependencies, job_id)
        raise Problem(409, f"The job is already {over.state.value}.")
    return job_out(job)


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
    """Hand the id to the workers, or leave it to the sweeper."""
    try:
        dependencies.transport.send(job.id)
    except TransportUnavailable as error:
        log.warning("job waits in the ledger", job_id=str(job.id), reason=str(error))
        dependencies.ledger.unsent(job.id)
