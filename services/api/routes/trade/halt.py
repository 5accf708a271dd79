"""The halt of the whole stack: while it is in force no job starts and none is accepted, but for canaries."""

from dataclasses import asdict
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from services.api.dependencies import Dependencies
from services.api.schemas import STORABLE, HaltOut, HaltRequest
from services.api.security import Provided, Requester

router = APIRouter(prefix="/halt", tags=["jobs"])
log = structlog.get_logger(__name__)


@router.get("")
def show(dependencies: Provided) -> HaltOut:
    """The latest halt, and whether it is in force."""
    return _state(dependencies)


@router.post("")
def halt(request: HaltRequest, dependencies: Provided, by: Requester) -> HaltOut:
    """Take and start no jobs any more; what runs goes on. A stack that is halted already keeps that halt."""
    dependencies.halts.halt(by=by, reason=request.reason)
    log.warning("stack halted", by=by, reason=request.reason)
    return _state(dependencies)


@router.delete("")
def resume(
    dependencies: Provided, by: Requester, reason: Annotated[str, Query(max_length=500, pattern=STORABLE)] = ""
) -> HaltOut:
    """End the halt, if one is in force: what waits starts within seconds."""
    dependencies.halts.resume(by=by, reason=reason)
    log.warning("stack resumed", by=by, reason=reason)
    return _state(dependencies)


def _state(dependencies: Dependencies) -> HaltOut:
    latest = dependencies.halts.latest()
    nothing = dict.fromkeys(("at", "by", "reason", "ended_at", "ended_by", "ended_reason"))
    return HaltOut(
        halted=latest is not None and latest.in_force,
        **(asdict(latest) if latest else nothing),
    )
