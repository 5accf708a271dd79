"""Health: alive, ready, and how each dependency is. Probes run side by side, each with a short deadline."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis
from fastapi import APIRouter, Response

from services.api.dependencies import Dependencies
from services.api.schemas import DependencyOut, Health, HealthOut
from services.api.security import Provided
from services.common.database import DatabaseUnavailable
from services.common.heartbeats import alive
from services.common.ledger import State
from services.version import VERSION

router = APIRouter(prefix="/health", tags=["health"])

Probe = Callable[[Dependencies], DependencyOut]


@router.get("")
def health(dependencies: Provided, response: Response) -> HealthOut:
    """Every dependency with status and latency. 200 while jobs are accepted, 503 when the stack is down."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        answers = pool.map(lambda probe: probe(dependencies), PROBES.values())
        found = dict(zip(PROBES, answers, strict=True))
    status = overall(found)
    response.status_code = 503 if status == "down" else 200
    return HealthOut(
        status=status,
        version=VERSION,
        environment=dependencies.settings.environment,
        dependencies=found,
    )


@router.get("/live")
async def live() -> dict[str, str]:
    """200 while the event loop turns."""
    return {"status": "ok"}


@router.get("/ready")
def ready(dependencies: Provided) -> dict[str, str]:
    """200 when jobs can be stored: Postgres answers and is migrated. Redis does not count: jobs wait for it."""
    dependencies.database.ping()
    dependencies.ledger.check()
    return {"status": "ok"}


def overall(dependencies: dict[str, DependencyOut]) -> Health:
    """Without Postgres and our schema nothing works; anything else makes it worse but not useless."""
    if "down" in {dependencies["postgres"].status, dependencies["queue"].status}:
        return "down"
    return "ok" if all(found.status == "ok" for found in dependencies.values()) else "degraded"


def _redis(dependencies: Dependencies) -> DependencyOut:
    started = time.perf_counter()
    try:
        dependencies.redis.ping()
    except redis.RedisError as error:
        return DependencyOut(status="down", detail=f"{error}; submitted jobs wait in the ledger")
    return DependencyOut(status="ok", latency_ms=_since(started))


def _postgres(dependencies: Dependencies) -> DependencyOut:
    started = time.perf_counter()
    try:
        dependencies.database.ping()
    except DatabaseUnavailable as error:
        return DependencyOut(status="down", detail=str(error))
    return DependencyOut(status="ok", latency_ms=_since(started))


def _workers(dependencies: Dependencies) -> DependencyOut:
    started = time.perf_counter()
    try:
        count = len(alive(dependencies.redis))
    except redis.RedisError:
        return DependencyOut(status="down", detail="unknown while Redis is away")
    status: Health = "ok" if count else "degraded"
    detail = "" if count else "no worker has been heard of lately; jobs wait"
    return DependencyOut(status=status, latency_ms=_since(started), detail=detail, count=count)


def _queue(dependencies: Dependencies) -> DependencyOut:
    started = time.perf_counter()
    try:
        counts = dependencies.ledger.counts()
    except DatabaseUnavailable as error:
        return DependencyOut(status="down", detail=str(error))
    pending = counts[State.QUEUED] + counts[State.RETRYING]
    return DependencyOut(status="ok", latency_ms=_since(started), pending=pending, dead=counts[State.DEAD])


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


PROBES: dict[str, Probe] = {"redis": _redis, "postgres": _postgres, "workers": _workers, "queue": _queue}
