"""Schedules: jobs that are made again and again, at the times of a cron expression."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path

from services.api.problems import Problem
from services.api.routes.jobs import checked
from services.api.schemas import JobRequest, ScheduleChange, ScheduleList, ScheduleOut, ScheduleRequest
from services.api.security import Provided, Requester
from services.common.ledger import UnstorableValue
from services.common.ledger.cron import BadCron

Name = Annotated[str, Path(min_length=1, max_length=60, pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["nightly"])]

router = APIRouter(prefix="/schedules", tags=["jobs"])
log = structlog.get_logger(__name__)


@router.get("")
def list_schedules(dependencies: Provided) -> ScheduleList:
    """Every schedule, by name."""
    found = dependencies.schedules.listed()
    return ScheduleList(schedules=[ScheduleOut.model_validate(each, from_attributes=True) for each in found])


@router.put("/{name}")
def put(name: Name, request: ScheduleRequest, dependencies: Provided, by: Requester) -> ScheduleOut:
    """Make a schedule, or replace it. The payload is checked as at a submission."""
    job_type, payload = checked(dependencies, JobRequest(type=request.type, payload=request.payload))
    try:
        made = dependencies.schedules.put(
            name,
            job_type.name,
            payload,
            cron=request.cron,
            zone=request.zone,
            by=by,
            version=job_type.version,
            max_attempts=job_type.max_attempts,
            notify=request.notify or job_type.notify,
        )
    except BadCron as error:
        raise Problem(422, f"{error}.", errors=[("cron", str(error))]) from error
    except UnstorableValue as error:
        raise Problem(422, f"payload: {error}", errors=[("payload", str(error))]) from error
    log.info("schedule set", name=name, job_type=job_type.name, cron=request.cron, zone=request.zone, by=by)
    return ScheduleOut.model_validate(made, from_attributes=True)


@router.patch("/{name}")
def change(name: Name, request: ScheduleChange, dependencies: Provided, by: Requester) -> ScheduleOut:
    """Pause a schedule, or let it go on with its next time from now. 404 for one that is not known."""
    changed = dependencies.schedules.pause(name, paused=request.paused, by=by)
    if changed is None:
        raise Problem(404, f"There is no schedule {name}.")
    log.info("schedule changed", name=name, paused=request.paused, by=by)
    return ScheduleOut.model_validate(changed, from_attributes=True)


@router.delete("/{name}", status_code=204)
def remove(name: Name, dependencies: Provided, by: Requester) -> None:
    """Remove a schedule; the jobs that it made stay. 404 for one that is not known."""
    if not dependencies.schedules.remove(name):
        raise Problem(404, f"There is no schedule {name}.")
    log.info("schedule removed", name=name, by=by)
