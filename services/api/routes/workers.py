"""Workers, as their heartbeats in Redis show them, and orders to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import redis
import structlog
from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.api.dependencies import Dependencies
from services.api.problems import RETRY_AFTER_S, Problem
from services.api.routes.jobs import send_id
from services.api.schemas import STORABLE, OrderOut, RecoveredList, RecoveredOut, WorkerList, WorkerOut
from services.api.security import Provided, Requester
from services.common.heartbeats import TTL_S, Heartbeat, Order, ages, alive, forget, give_order, orders

router = APIRouter(prefix="/workers", tags=["workers"])
log = structlog.get_logger(__name__)

Name = Annotated[str, Path(min_length=1, max_length=200, pattern=STORABLE, examples=["worker-1"])]


class OrderRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=500, examples=["its host gets more memory"])] = ""


Wish = Annotated[OrderRequest, Body(default_factory=OrderRequest)]


@router.get("")
def list_workers(dependencies: Provided) -> WorkerList:
    """Workers heard of lately, by name; 503 while Redis is away."""
    with _redis():
        heartbeats = alive(dependencies.redis)
        names = [each.name for each in heartbeats]
        given, age_s = orders(dependencies.redis, names), ages(dependencies.redis, names)
    # One that has just run out is as old as its heartbeat may become.
    return WorkerList(workers=[_worker(each, given.get(each.name), age_s.get(each.name, TTL_S)) for each in heartbeats])


@router.post("/{name}/drain", status_code=202)
def drain(name: Name, dependencies: Provided, by: Requester, wish: Wish) -> OrderOut:
    """Let a worker finish its job and take no other, until it is to resume; it hears that within a second.

    It stays up, also over its own restarts. 404 for one that is not heard.
    """
    return _order(dependencies, name, Order(drain=True, by=by, reason=wish.reason))


@router.post("/{name}/resume", status_code=202)
def resume(name: Name, dependencies: Provided, by: Requester, wish: Wish) -> OrderOut:
    """Let a worker that was drained take jobs again. 404 for one that is not heard."""
    return _order(dependencies, name, Order(drain=False, by=by, reason=wish.reason))


@router.delete("/{name}", status_code=202)
def remove(
    name: Name,
    dependencies: Provided,
    by: Requester,
    reason: Annotated[str, Query(max_length=500, pattern=STORABLE, examples=["it hung"])] = "",
) -> RecoveredList:
    """For whoever has ended a worker: its heartbeat is forgotten, and other workers get its jobs now.

    One that lives after all loses the job that it runs: its outcome will be refused.
    """
    try:
        forget(dependencies.redis, name)
    except redis.RedisError as error:
        log.warning("heartbeat not forgotten", worker=name, reason=str(error))
    why = f": {reason}" if reason else ""
    jobs = dependencies.handover.hand_over(name, f"its worker {name} was ended{why}", by=by)
    for job in jobs:
        send_id(dependencies, job.id, job.type, ahead=True)
        log.warning("job of an ended worker", job_id=str(job.id), job_type=job.type, worker=name, by=by)
    return RecoveredList(jobs=[RecoveredOut.model_validate(job, from_attributes=True) for job in jobs])


def _order(dependencies: Dependencies, name: str, order: Order) -> OrderOut:
    with _redis():
        if name not in [each.name for each in alive(dependencies.redis)]:
            raise Problem(404, f"No worker {name} has been heard of lately.")
        give_order(dependencies.redis, name, order)
    log.info("worker is to drain" if order.drain else "worker is to resume", worker=name, by=order.by, why=order.reason)
    return _order_out(order)


@contextmanager
def _redis() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        detail = f"Redis does not answer, so no worker can be heard, or hear: {error}"
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}) from error


def _order_out(order: Order) -> OrderOut:
    return OrderOut.model_validate(asdict(order))


def _worker(heartbeat: Heartbeat, order: Order | None, age_s: float) -> WorkerOut:
    return WorkerOut(
        name=heartbeat.name,
        state=heartbeat.state,
        job_id=heartbeat.job_id,
        job_type=heartbeat.job_type,
        job_since=None if heartbeat.job_since is None else datetime.fromtimestamp(heartbeat.job_since, UTC),
        heartbeat_at=datetime.fromtimestamp(heartbeat.at, UTC),
        age_s=round(age_s, 3),
        pid=heartbeat.pid,
        memory_bytes=heartbeat.memory_bytes,
        version=heartbeat.version,
        order=None if order is None else _order_out(order),
    )
