"""Types of jobs as queues: jobs that wait, and rules of operators."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query

from services.api.dependencies import Dependencies
from services.api.problems import Problem
from services.api.schemas import STORABLE, Purged, QueueChange, QueueList, QueueOut
from services.api.security import Provided, Requester
from services.common.ledger import QueueStatus
from services.common.ledger.rules.queues import BATCH

Type = Annotated[str, Path(min_length=1, max_length=100, pattern=STORABLE)]

router = APIRouter(prefix="/queues", tags=["jobs"])
log = structlog.get_logger(__name__)


@router.get("")
def list_queues(dependencies: Provided) -> QueueList:
    """Every type of job: what waits, runs or is dead, and what was set for it."""
    return QueueList(queues=[QueueOut.model_validate(each, from_attributes=True) for each in _status(dependencies)])


@router.patch("/{type}")
def change(type: Type, request: QueueChange, dependencies: Provided, by: Requester) -> QueueOut:  # noqa: A002
    """Pause or resume a type, close it for new jobs or open it, limit how many run. 404 for an unknown type."""
    _known(dependencies, type)
    dependencies.queues.set(
        type,
        paused=request.paused,
        closed=request.closed,
        max_running=request.max_running,
        limited="max_running" in request.model_fields_set,
        reason=request.reason,
        by=by,
    )
    log.info("queue changed", job_type=type, by=by, **request.model_dump(exclude_unset=True))
    return QueueOut.model_validate(_known(dependencies, type), from_attributes=True)


@router.post("/{type}/purge")
def purge(
    type: Type,  # noqa: A002
    dependencies: Provided,
    by: Requester,
    reason: Annotated[str, Query(max_length=500, pattern=STORABLE)] = "",
) -> Purged:
    """Cancel jobs of a type that wait, oldest first, 2000 at a time; what runs goes on. 404 for an unknown type."""
    _known(dependencies, type)
    jobs = dependencies.queues.purge(type, by=by, reason=reason)
    log.info("queue purged", job_type=type, jobs=jobs, by=by, reason=reason)
    return Purged(jobs=jobs, complete=jobs < BATCH)


def _status(dependencies: Dependencies) -> list[QueueStatus]:
    """Those of the ledger, and every type that has no job there."""
    found = {each.type: each for each in dependencies.queues.status()}
    names = sorted({*found, *dependencies.job_types.types})
    return [found.get(name) or QueueStatus(name) for name in names]


def _known(dependencies: Dependencies, name: str) -> QueueStatus:
    found = {each.type: each for each in _status(dependencies)}
    if name not in found:
        raise Problem(404, f"There is no job type {name!r}; one of {', '.join(found)}.")
    return found[name]
