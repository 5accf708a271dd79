"""Dead letters: jobs that were given up."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from services.api.problems import Problem
from services.api.routes.jobs import JobId, known, send
from services.api.schemas import DeadGroupList, DeadGroupOut, JobOut, job_out
from services.api.security import Provided, WithApiKey

router = APIRouter(prefix="/dead-letters", tags=["jobs"])
log = structlog.get_logger(__name__)


@router.get("")
def groups(dependencies: Provided, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> DeadGroupList:
    """Dead jobs by what they failed with, the largest group first. Its jobs: `/jobs?state=dead&fingerprint=…`."""
    found = dependencies.ledger.dead_groups(limit)
    return DeadGroupList(groups=[DeadGroupOut.model_validate(group, from_attributes=True) for group in found])


@router.post("/{job_id}/replay", status_code=202, dependencies=[WithApiKey])
def replay(
    job_id: JobId,
    dependencies: Provided,
    again: Annotated[bool, Query(description="Also one that was replayed before and died again.")] = False,
) -> JobOut:
    """Queue a dead job once more, with all its attempts. 409 for one that is not dead, or was replayed before."""
    job = dependencies.ledger.replay(job_id, again=again)
    if job is None:
        raise Problem(409, _why_not(known(dependencies, job_id).state.value))
    send(dependencies, job)
    log.info("dead job replayed", job_id=str(job_id), job_type=job.type)
    return job_out(job)


@router.delete("/{job_id}", status_code=204, dependencies=[WithApiKey])
def remove(job_id: JobId, dependencies: Provided) -> None:
    """Remove a dead job with everything that happened to it. 409 for one that is not dead."""
    if not dependencies.ledger.remove_dead(job_id):
        raise Problem(409, f"The job is {known(dependencies, job_id).state.value}; only a dead one can be removed.")
    log.info("dead job removed", job_id=str(job_id))


def _why_not(state: str) -> str:
    if state == "dead":
        return "The job died again after a replay; say again=true to replay it once more."
    return f"The job is {state}; only a dead one can be replayed."
