"""Workers in Redis: which are there, what each does, when it last sent a heartbeat, and the orders to it."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
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

ORDER_PREFIX = "tradebot:worker-order:"
"""With a worker's name: the last order to it."""

ORDER_KEPT_S = 7 * 86_400
"""After its worker was last heard: names of containers that are gone must not pile up."""

WorkerState = Literal["idle", "busy", "draining", "drained"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Times are Unix time in seconds; ``job_id`` is set while ``state`` is busy or draining with a job.

    A worker that is draining stops, or has the order to take no more jobs: once its job has ended it is drained.
    """

    name: str
    state: WorkerState
    pid: int
    at: float
    job_id: str | None = None
    job_type: str | None = None
    job_since: float | None = None
    memory_bytes: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """To take no more jobs, or to take jobs again; with who gave it, and why.

    Taking jobs again is an order, too: a wiped Redis, which holds none, must not look like it.
    """

    drain: bool
    by: str
    reason: str = ""
    at: float = field(default_factory=time.time)


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
    known = _index(client)
    names = sorted(known)
    if not names:
        return []
    values: Any = client.mget([PREFIX + name for name in names])
    # Only names that are old as well: a worker may be beating for the first time between our two reads. And only those
    # that are gone: the clock of one that is there may be wrong.
    old = time.time() - 10 * TTL_S
    if gone := [name for name, value in zip(names, values, strict=True) if value is None and known[name] < old]:
        client.zrem(INDEX, *gone)
    return [heartbeat for value in values if (heartbeat := _parse(value)) is not None]


def heard(client: redis.Redis, within_s: float, ttl_s: int = TTL_S) -> list[str]:
    """Names of workers that have beaten within so many seconds, by Redis' clock alone. Raises ``redis.RedisError``."""
    return [name for name, age_s in ages(client, sorted(_index(client)), ttl_s).items() if age_s <= within_s]


def ages(client: redis.Redis, names: Sequence[str], ttl_s: int = TTL_S) -> dict[str, float]:
    """Seconds since the last beat of each of these that has not run out, by Redis' clock alone: the workers' own may
    be wrong. Raises ``redis.RedisError``."""
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.pttl(PREFIX + name)
    left: Any = pipeline.execute()
    return {name: max(ttl_s - ms / 1000, 0.0) for name, ms in zip(names, left, strict=True) if ms >= 0}


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


def give_order(client: redis.Redis, name: str, order: Order) -> None:
    """To the worker of this name, which hears it within a second. Raises ``redis.RedisError``."""
    client.set(ORDER_PREFIX + name, json.dumps(asdict(order)), ex=ORDER_KEPT_S)


def hear_order(client: redis.Redis, name: str) -> Order | None:
    """For the worker itself: the last order to it, kept as long as it is heard. Raises ``redis.RedisError``."""
    value: Any = client.getex(ORDER_PREFIX + name, ex=ORDER_KEPT_S)
    return _order(value)


def orders(client: redis.Redis, names: Sequence[str]) -> dict[str, Order]:
    """The last order to each of these workers, by name; none for one that never got any. Raises ``RedisError``."""
    values: Any = client.mget([ORDER_PREFIX + name for name in names]) if names else []
    found = {name: _order(value) for name, value in zip(names, values, strict=True)}
    return {name: order for name, order in found.items() if order is not None}


def _index(client: redis.Redis) -> dict[str, float]:
    """When each was last heard, by its own clock."""
    members: Any = client.zrange(INDEX, 0, -1, withscores=True)
    return {_decoded(name): at for name, at in members}


def _decoded(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _order(value: bytes | str | None) -> Order | None:
    """None also for an order of another version: no order changes nothing."""
    try:
        return None if value is None else Order(**json.loads(value))
    except (TypeError, ValueError):
        return None


def _parse(value: bytes | str | None) -> Heartbeat | None:
    """As far as this version knows its fields; else None: one stranger must not hide the other workers."""
    if value is None:
        return None
    try:
        return Heartbeat(**{name: known for name, known in json.loads(value).items() if name in _FIELDS})
    except (AttributeError, TypeError, ValueError):
        return None


_FIELDS = {each.name for each in fields(Heartbeat)}
