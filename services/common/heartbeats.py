"""Heartbeats of workers in Redis: which are there, what each does, and when it last sent one."""

import json
import math
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

import redis

PREFIX = "tradebot:worker:"
INDEX = "tradebot:workers"
"""Sorted set of names by their last beat: listing workers must not scan the keys of a large Redis."""

DESIRED_KEY = "tradebot:workers:desired"
"""The number of workers that ``scale`` asked for; absent until it is used."""

DRAIN_PREFIX = "tradebot:drain:"
"""With a worker's name: seconds for its running job, written right before its stop signal; kept for a minute."""

TTL_S = 30

WorkerState = Literal["idle", "busy", "draining"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """``at`` is Unix time in seconds; ``job_id`` is set while ``state`` is busy or draining with a job."""

    name: str
    state: WorkerState
    pid: int
    at: float
    job_id: str | None = None


def beat(client: redis.Redis, heartbeat: Heartbeat, ttl_s: int = TTL_S) -> None:
    """Report this worker alive; forgotten after ``ttl_s`` seconds. Raises ``redis.RedisError``."""
    pipeline = client.pipeline(transaction=False)
    pipeline.set(PREFIX + heartbeat.name, json.dumps(asdict(heartbeat)), ex=ttl_s)
    pipeline.zadd(INDEX, {heartbeat.name: heartbeat.at})
    pipeline.execute()


def forget(client: redis.Redis, name: str) -> None:
    """Remove this worker, so that nobody waits for the end of its time to live. Raises ``redis.RedisError``."""
    pipeline = client.pipeline(transaction=False)
    pipeline.delete(PREFIX + name)
    pipeline.zrem(INDEX, name)
    pipeline.execute()


def alive(client: redis.Redis) -> list[Heartbeat]:
    """Heartbeats that have not run out, by name. Raises ``redis.RedisError``."""
    names = sorted(_decoded(name) for name in _index(client))
    if not names:
        return []
    values: Any = client.mget([PREFIX + name for name in names])
    gone = [name for name, value in zip(names, values, strict=True) if value is None]
    if gone:
        # Only names that are old as well: a worker may be beating for the first time between our two reads.
        client.zremrangebyscore(INDEX, "-inf", time.time() - 10 * TTL_S)
    return [heartbeat for value in values if (heartbeat := _parse(value)) is not None]


def desired_workers(client: redis.Redis) -> int | None:
    """How many workers ``scale`` asked for; None when nobody did. Raises ``redis.RedisError``."""
    value: Any = client.get(DESIRED_KEY)
    text = "" if value is None else _decoded(value)
    return int(text) if text.isdigit() else None


def granted_drain(client: redis.Redis, name: str) -> float | None:
    """Seconds granted to this worker's job, returned once; None if none were. Raises ``redis.RedisError``."""
    value: Any = client.getdel(DRAIN_PREFIX + name)
    try:
        seconds = math.nan if value is None else float(value)
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _index(client: redis.Redis) -> list[bytes | str]:
    members: Any = client.zrange(INDEX, 0, -1)
    return list(members)


def _decoded(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _parse(value: bytes | str | None) -> Heartbeat | None:
    """None also for a value of another version: one stranger must not hide the other workers."""
    if value is None:
        return None
    try:
        return Heartbeat(**json.loads(value))
    except (TypeError, ValueError):
        return None
