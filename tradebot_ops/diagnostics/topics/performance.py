"""Performance: the one resource that is used up, or that none is."""

from collections.abc import Sequence

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.facts import engine, host, requests
from tradebot_ops.facts.stores import postgres, postgres_load, redis, redis_load
from tradebot_ops.facts.work import timings, worker_load
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import ended

TOPIC = Topic("performance", "Performance", order=45)
#: Shares from which on a resource counts as used up.
WAITS, BUSY, TAKEN = 0.2, 0.95, 0.9
SLOW_REDIS_S = 0.005


@look(asks=(host.pressure,))
def host_resources(found: host.Pressure) -> View:
    """The share of the time in which work waited for a resource of the host."""
    worst = max(found.some, key=lambda name: found.some[name])
    share = found.some[worst]
    problems = (doubtful(f"The host is short of {worst}: work waits {share:.0%} of the time.",
                         "tradebot optimize plan"),)  # fmt: skip
    return View((("host", f"{worst} is the scarcest: work waits {share:.0%} of the time"),),
                problems=problems if share > WAITS else ())  # fmt: skip


@look(asks=(host.load, engine.info))
def host_load(found: host.Load, info: EngineInfo) -> View:
    """How much waits for a processor at this moment, beside how many there are; how long it waits, pressure says."""
    swap = f"{human_bytes(found.swapped)} of {human_bytes(found.swap)}" if found.swap else "none"
    values = (
        ("run queue", f"{found.queue} for {info.cpus} processors, {found.mean:g} on average of 5 minutes"),
        ("available memory", f"{human_bytes(found.available)} of {human_bytes(info.memory)}"),
        ("swap in use", swap),
    )
    return View(values)


@look(asks=(worker_load.utilisation,))
def workers(found: worker_load.Utilisation) -> View:
    message = f"The workers are busy {found.share:.0%} of the time."
    problems = (doubtful(message, f"tradebot scale workers {found.workers + 1}"),) if found.share > BUSY else ()
    return View((("workers", f"{found.workers}, busy {found.share:.0%} of 15 minutes"),), problems=problems)


@look(asks=(timings.timings,))
def jobs(found: timings.Timings) -> View:
    """Time in the queue against time at work; the peak of one job's memory."""
    means = f"waited {quantity(found.waited_s, 's')}, worked {quantity(found.worked_s, 's')} on average"
    return View((("jobs", f"{found.jobs}: {means}; at most {quantity(found.memory, 'bytes')}"),))


@look(asks=(postgres.connections,))
def connections(found: postgres.Connections) -> View:
    share = found.used / found.most
    problems = (doubtful(f"Postgres has few connections left: {share:.0%} are taken.", "tradebot diag postgres"),)
    return View((("connections to Postgres", f"{share:.0%} taken"),), problems=problems if share > TAKEN else ())


@look(asks=(postgres_load.waits,))
def sessions(found: postgres_load.Waits) -> View:
    """How many are active, and what most of them do: work, or wait for what."""
    active = sum(count for _, count in found.sessions)
    most = f", most: {found.sessions[0][0]}" if found.sessions else ""
    return View((("active sessions", f"{active:.1f} on average{most}"),))


@look(asks=(postgres_load.io,))
def database_disk(found: postgres_load.Io) -> View:
    """Since its statistics began. Sessions that write themselves wait for the disk, while the background writer is
    behind."""
    took = "not measured (track_io_timing is off)" if found.seconds is None else quantity(found.seconds, "s")
    text = f"{found.reads} reads, {found.writes} writes ({found.own} by sessions), {found.extends} extensions; "
    return View((("disk of Postgres", f"{text}time {took}"),))


@look(asks=(redis.pings,))
def queue_store(pings: tuple[float, ...]) -> View:
    slowest = redis.p99(sorted(pings))
    problems = (doubtful(f"Redis takes {quantity(slowest, 's')} to answer.", "tradebot diag redis"),)
    return View(
        (("Redis", f"answers within {quantity(slowest, 's')}"),), problems=problems if slowest > SLOW_REDIS_S else ()
    )


@look(asks=(redis_load.commands,))
def queue_store_commands(found: Sequence[redis_load.Command]) -> View:
    """It works on one command at a time."""
    return View((("Redis is busy", f"{sum(each.share for each in found):.1%} of the time"),))


@look(asks=(redis.doctors,))
def queue_store_doctors(found: redis.Doctors) -> View:
    """Redis' own advice, in its own words."""
    problems = tuple(
        doubtful(f"Redis has advice about its {name}: {ended(words)}", "tradebot diag redis")
        for name, words in found.advice.items()
    )
    return View((("advice of Redis", few(list(found.advice)) or "none"),), problems=problems)


@look(asks=(requests.lately,))
def api(found: requests.Served) -> View:
    return View((("API", f"95 of 100 requests within {quantity(found.p95, 's')}"),))
