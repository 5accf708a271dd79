"""Circuit breakers around services outside of the stack."""

from typing import Annotated

import redis
import structlog
from fastapi import APIRouter, Path

from services.api.problems import RETRY_AFTER_S, Problem
from services.api.schemas import BreakerList, BreakerOut
from services.api.security import Provided, Requester
from services.common.breaker import NAME, Breaker
from services.common.jobtypes import waiting_for

router = APIRouter(prefix="/breakers", tags=["breakers"])
log = structlog.get_logger(__name__)

Name = Annotated[str, Path(pattern=f"^{NAME.pattern}$", examples=["market-data"])]


@router.get("")
def list_breakers(dependencies: Provided) -> BreakerList:
    """Every circuit breaker that ever saw a failure, by name; 503 while Redis is away."""
    try:
        found = dependencies.breakers.all()
    except redis.RedisError as error:
        raise _away(error) from error
    return BreakerList(breakers=[_out(each) for each in found])


@router.post("/{name}/reset")
def reset(name: Name, dependencies: Provided, by: Requester) -> BreakerOut:
    """Close a circuit breaker: the service is called again, by the jobs that wait for it first.

    One that is closed stays as it is.
    """
    try:
        was_open = dependencies.breakers.reset(name)
        found = dependencies.breakers.get(name)
    except redis.RedisError as error:
        raise _away(error) from error
    if found is None:
        raise Problem(404, f"There is no circuit breaker {name}: nothing of that name ever failed.")
    if was_open:
        jobs = dependencies.ledger.hasten(waiting_for(name), f"circuit breaker {name} reset", by=by)
        log.info("circuit breaker reset", breaker=name, jobs=jobs, by=by)
    return _out(found)


def _out(breaker: Breaker) -> BreakerOut:
    return BreakerOut.model_validate(breaker, from_attributes=True)


def _away(error: redis.RedisError) -> Problem:
    detail = f"Redis does not answer, so no circuit breaker is known: {error}"
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
