"""Jobs in bulk: their figures, those whose workers vanished, and those that are to be forgotten."""

from typing import Annotated

import redis
import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.api.problems import RETRY_AFTER_S, Problem
from services.api.routes.jobs import send_id
from services.api.schemas import STORABLE, RecoveredList, RecoveredOut, TypeStatsList, TypeStatsOut
from services.api.security import Provided, Requester
from services.common.heartbeats import heard
from services.common.ledger import State
from services.common.ledger.history import BATCH, MOST

#: Workers beat once a second; one that was silent for so long is not merely late.
SILENT_S = 5.0
DAY_S = 86_400

router = APIRouter(prefix="/jobs", tags=["jobs"])
log = structlog.get_logger(__name__)


class PruneRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    older_than_s: Annotated[float, Field(strict=True, ge=0, le=10**9, examples=[30 * DAY_S])]
    states: Annotated[list[State], Field(min_length=1, examples=[["succeeded", "cancelled"]])]
    dry_run: StrictBool = False


class Pruned(BaseModel):
    jobs: int = Field(description="Removed, or to be removed where dry_run was asked for.")
    more: bool = Field(description="Ask again: so many are removed at once, and there are more.")


@router.get("/stats")
def stats(
    dependencies: Provided,
    type: Annotated[str | None, Query(max_length=100, pattern=STORABLE)] = None,  # noqa: A002 - the public name
    since_s: Annotated[float, Query(gt=0, le=10**9, description="Jobs that ended within so many seconds.")] = DAY_S,
) -> TypeStatsList:
    """Figures of each type; of very many jobs those that ended last."""
    found = dependencies.history.stats(since_s, type)
    types = [TypeStatsOut.model_validate(each, from_attributes=True) for each in found]
    return TypeStatsList(types=types, complete=sum(each.jobs for each in found) < MOST)


@router.post("/recover", status_code=202)
def recover(dependencies: Provided, by: Requester) -> RecoveredList:
    """Give running jobs whose workers have vanished to other workers now. 503 while Redis cannot say who is there."""
    try:
        alive = heard(dependencies.redis, SILENT_S)
    except redis.RedisError as error:
        detail = f"Redis does not answer, so no worker can be heard: {error}"
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}) from error
    recovered = dependencies.ledger.recover(alive, by=by)
    for job in recovered:
        send_id(dependencies, job.id, job.type, ahead=True)
        log.warning("job recovered", job_id=str(job.id), job_type=job.type, worker=job.worker, by=by)
    return RecoveredList(jobs=[RecoveredOut.model_validate(job, from_attributes=True) for job in recovered])


@router.post("/prune")
def prune(request: PruneRequest, dependencies: Provided, by: Requester) -> Pruned:
    """Remove jobs that ended long ago with all that is known of them, the oldest first and a batch at a time."""
    if unfinished := [state.value for state in request.states if not state.final]:
        why = f"{', '.join(unfinished)} jobs are not over; say succeeded, cancelled or dead"
        raise Problem(422, f"states: {why}", errors=[("states", why)])
    if request.dry_run:
        return Pruned(jobs=dependencies.history.prunable(request.older_than_s, request.states), more=False)
    jobs = dependencies.history.prune(request.older_than_s, request.states)
    log.info("old jobs removed", count=jobs, older_than_s=request.older_than_s, by=by)
    return Pruned(jobs=jobs, more=jobs == BATCH)
