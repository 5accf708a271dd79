"""Workers, as their heartbeats in Redis show them."""

import time
from datetime import UTC, datetime

import redis
from fastapi import APIRouter

from services.api.problems import RETRY_AFTER_S, Problem
from services.api.schemas import WorkerList, WorkerOut
from services.api.security import Provided
from services.common.heartbeats import Heartbeat, alive

router = APIRouter(tags=["workers"])


@router.get("/workers")
def list_workers(dependencies: Provided) -> WorkerList:
    """Workers heard of lately, by name; 503 while Redis is away."""
    try:
        heartbeats = alive(dependencies.redis)
    except redis.RedisError as error:
        detail = f"Redis does not answer, so no worker can be heard: {error}"
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}) from error
    return WorkerList(workers=[_worker(heartbeat, time.time()) for heartbeat in heartbeats])


def _worker(heartbeat: Heartbeat, now: float) -> WorkerOut:
    return WorkerOut(
        name=heartbeat.name,
        state=heartbeat.state,
        job_id=heartbeat.job_id,
        heartbeat_at=datetime.fromtimestamp(heartbeat.at, UTC),
        age_s=round(max(now - heartbeat.at, 0.0), 3),
        pid=heartbeat.pid,
    )
