"""Redis: memory, persistence, clients and what was slow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tradebot_ops.clients.redis import Sizes, SlowCommand
from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts import moment
from tradebot_ops.facts.stores import redis, redis_load
from tradebot_ops.model import Table
from tradebot_ops.text.quantities import quantity

TOPIC = Topic("redis", "Redis", order=50)
SLOW_S = 0.005
FULL, NEARLY_FULL = 0.9, 0.75
SHOWN = 5
LATELY_S = 3600
#: Commands and characters of a key that are shown.
SHOWN_COMMANDS, KEY = 3, 60
BUSY = 0.8


@look(asks=(redis.info,))
def memory(info: Mapping[str, Any]) -> View:
    used, limit, policy = int(info["used_memory"]), int(info["maxmemory"]), str(info["maxmemory_policy"])
    evicted, share = int(info["evicted_keys"]), int(info["used_memory"]) / (int(info["maxmemory"]) or 1)
    raise_it = "Raise REDIS_MAXMEMORY and run `tradebot up`."
    problems = []
    if limit and share > NEARLY_FULL:
        say = wrong if share > FULL else doubtful
        problems.append(say(f"Redis uses {share:.0%} of its memory limit.", raise_it))
    if not limit:
        problems.append(wrong("Redis has no memory limit.", "tradebot up redis"))
    if policy != "noeviction":
        problems.append(wrong(f"Redis drops keys when memory is short: {policy}.", "tradebot up redis"))
    if evicted:
        problems.append(wrong(f"Redis dropped {evicted} keys since it started.", raise_it))
    values = (
        ("memory", f"{quantity(used, 'bytes')} of {quantity(limit, 'bytes')}, {policy}"),
        ("fragmentation", f"{float(info['mem_fragmentation_ratio']):g}"),
        ("evicted keys", str(evicted)),
    )
    return View(values, problems=tuple(problems))


@look(asks=(redis.info,))
def persistence(info: Mapping[str, Any]) -> View:
    """A queue in a Redis that does not write lives until the next power failure."""
    appends = bool(int(info.get("aof_enabled", 0)))
    states = {"last append": str(info.get("aof_last_write_status", "ok")),
              "last snapshot": str(info.get("rdb_last_bgsave_status", "ok"))}  # fmt: skip
    problems = [
        wrong(f"Redis cannot write: {name} ended with {state}.", "tradebot diag disk")
        for name, state in states.items()
        if state != "ok"
    ]
    if not appends:
        problems.append(wrong("Redis does not write what it holds to disk.", "tradebot up redis"))
    values = (("append-only file", "on" if appends else "off"), *states.items())
    return View(values, problems=tuple(problems))


@look(asks=(redis.info,))
def clients(info: Mapping[str, Any]) -> View:
    connected, most = int(info["connected_clients"]), int(info.get("maxclients", 0))
    rejected, blocked = int(info.get("rejected_connections", 0)), int(info.get("blocked_clients", 0))
    problems = [wrong(f"Redis turned {rejected} clients away.", "tradebot logs redis --tail 50")] if rejected else []
    values = (("clients", f"{connected} of {most or 'no limit'}, {blocked} waiting"), ("turned away", str(rejected)))
    return View(values, problems=tuple(problems))


@look(asks=(redis.pings,))
def latency(pings: tuple[float, ...]) -> View:
    slowest = redis.p99(sorted(pings))
    slow = (doubtful(f"Redis answers slowly: {quantity(slowest, 's')}.", "tradebot diag performance"),)
    return View((("PING, p99", quantity(slowest, "s")),), problems=slow if slowest > SLOW_S else ())


@look(asks=(redis_load.commands,))
def commands(found: tuple[redis_load.Command, ...]) -> View:
    """Commands of now; a Redis works on one at a time."""
    busy = sum(each.share for each in found)
    shown = ", ".join(f"{each.name} {quantity(each.rate, 'ops')}" for each in found[:SHOWN_COMMANDS])
    problems = (doubtful(f"Redis is busy {busy:.0%} of the time: {shown}.", "tradebot diag performance"),)
    return View((("commands", f"busy {busy:.1%}: {shown or 'none'}"),), problems=problems if busy > BUSY else ())


@look(asks=(redis_load.largest,))
def largest(found: Sizes) -> View:
    of = f"largest of {'all ' if found.complete else ''}{found.looked_at} keys" + ("" if found.complete else " sampled")
    rows = tuple((each.name[:KEY], each.type, quantity(each.bytes, "bytes")) for each in found.largest)
    return View(table=Table((of, "type", "size"), rows))


@look(asks=(redis.slowlog, moment.now))
def slow_commands(commands: tuple[SlowCommand, ...], now: datetime) -> View:
    """The slowest of the last hour; arguments are cut by Redis itself, and only the command's name is shown."""
    recent = [each for each in commands if now.timestamp() - each.at < LATELY_S]
    worst = sorted(recent, key=lambda each: -each.seconds)[:SHOWN]
    rows = tuple((each.command.split(" ")[0][:30], quantity(each.seconds, "s"), each.client) for each in worst)
    return View(table=Table(("slow command", "took", "client"), rows))
