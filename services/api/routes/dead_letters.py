"""Dead letters: jobs that were given up. Known ones are set aside: counted nowhere, left out of a replay of all."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.api.problems import Problem
from services.api.routes.jobs import JobId, known, send
from services.api.schemas import (
    STORABLE,
    DeadGroupList,
    DeadGroupOut,
    JobOut,
    QuarantineList,
    QuarantineOut,
    job_out,
)
from services.api.security import Provided, Requester

router = APIRouter(prefix="/dead-letters", tags=["jobs"])
log = structlog.get_logger(__name__)

Name = Annotated[
    str,
    Path(min_length=1, max_length=200, pattern=STORABLE, description="A group's fingerprint, or a job type."),
]


class QuarantineRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=500, examples=["AAPL is delisted; TICKET-7"])] = ""


@router.get("")
def groups(dependencies: Provided, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> DeadGroupList:
    """Dead jobs by what they failed with, the largest group first. Its jobs: `/jobs?state=dead&fingerprint=…`."""
    found = dependencies.dead_letters.groups(limit)
    return DeadGroupList(groups=[DeadGroupOut.model_validate(group, from_attributes=True) for group in found])


@router.get("/quarantine")
def list_quarantined(dependencies: Provided) -> QuarantineList:
    """Groups and types in quarantine, the newest first."""
    found = dependencies.dead_letters.quarantined()
    return QuarantineList(quarantined=[QuarantineOut.model_validate(each, from_attributes=True) for each in found])


@router.put("/quarantine/{name}")
def quarantine(name: Name, request: QuarantineRequest, dependencies: Provided, by: Requester) -> QuarantineOut:
    """Set aside every dead job with this fingerprint or of this type, also those to come."""
    made = dependencies.dead_letters.quarantine(name, request.reason, by)
    log.info("dead jobs set aside", name=name, by=by, reason=request.reason)
    return QuarantineOut.model_validate(made, from_attributes=True)


@router.delete("/quarantine/{name}", status_code=204)
def lift(name: Name, dependencies: Provided, by: Requester) -> None:
    """They count again. 404 for what is not in quarantine."""
    if not dependencies.dead_letters.lift(name):
        raise Problem(404, f"{name} is not in quarantine.")
    log.info("quarantine lifted", name=name, by=by)


@router.post("/{job_id}/replay", status_code=202)
def replay(
    job_id: JobId,
    dependencies: Provided,
    by: Requester,
    again: Annotated[bool, Query(description="Also one that was replayed before and died again.")] = False,
) -> JobOut:
    """Queue a dead job once more, with all its attempts. 409 for one that is not dead, or was replayed before; 423
    while the stack is halted."""
    job = dependencies.dead_letters.replay(job_id, again=again, by=by)
    if job is None:
        raise Problem(409, _why_not(known(dependencies, job_id).state.value))
    send(dependencies, job)
    log.info("dead job replayed", job_id=str(job_id), job_type=job.type, by=by)
    return job_out(job)


@router.delete("/{job_id}", status_code=204)
def remove(job_id: JobId, dependencies: Provided, by: Requester) -> None:
    """Remove a dead job with everything that happened to it. 409 for one that is not dead."""
    if not dependencies.dead_letters.remove(job_id):
        raise Problem(409, f"The job is {known(dependencies, job_id).state.value}; only a dead one can be removed.")
    log.info("dead job removed", job_id=str(job_id), by=by)


def _why_not(state: str) -> str:
    if state == "dead":
        return "The job died again after a replay; say again=true to replay it once more."
    return f"The job is {state}; only a dead one can be replayed."
