"""Symptoms for whoever uses the stack, in words that causes explain: ``redis: stopped``. Pure."""

from collections.abc import Iterator
from typing import Any

from tradebot_ops.diagnostics import signs
from tradebot_ops.diagnostics.cause import Sign, Values
from tradebot_ops.facts.fact import Fact, NotHere, Unknown
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import services

_WELL = {"ready", "running", "done"}
#: The first word of a symptom, and the sign that shows it.
_SIGNS: tuple[tuple[str, Sign], ...] = (
    ("queue", signs.stuck),
    ("queue", signs.long_queue),
    ("dead-letters", signs.jobs_given_up),
    ("crashes", signs.crash_loop),
    ("crashes", signs.killed_for_memory),
    ("requests", signs.api_slow),
    ("requests", signs.api_fails),
    ("redis-memory", signs.redis_full),
    ("redis-memory", signs.redis_evicts),
    ("redis-disk", signs.redis_value("aof_last_write_status", "err")),
    ("redis-disk", signs.redis_value("rdb_last_bgsave_status", "err")),
    ("redis-disk", signs.redis_value("aof_enabled", "0")),
    ("postgres-connections", signs.connections_taken),
    ("postgres-locks", signs.blocked),
    ("disk", signs.disk_full),
    ("clock", signs.clock_off),
)

ASKS: tuple[Fact[Any], ...] = tuple(
    dict.fromkeys((services.now, stack.description, stack.absent, *(fact for _, each in _SIGNS for fact in each.asks)))
)


def symptoms(values: Values) -> tuple[str, ...]:
    """Each once. A fact that could not be learnt shows none: it is named as not examined elsewhere."""
    found = list(_services(values))
    for word, each in _SIGNS:
        if text := each.seen(values):
            found.append(f"{word}: {text}")
    return tuple(dict.fromkeys(found))


def _services(values: Values) -> Iterator[str]:
    known: list[Any] = [values.get(fact) for fact in (services.now, stack.description, stack.absent)]
    if any(value is None or isinstance(value, Unknown | NotHere) for value in known):
        return
    found, described, absent = known[0], known[1], known[2]
    for each in found:
        if each.word not in _WELL:
            yield f"{each.replica.service}: {each.replica.label} is {each.word}"
    there = {each.replica.service for each in found}
    for name in described.services:
        if name not in there and name not in absent:
            yield f"{name}: it has no replica"
