"""Performance: the one resource that is used up, or that none is."""

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look
from tradebot_ops.facts import host, requests
from tradebot_ops.facts.stores import postgres, redis
from tradebot_ops.facts.work import timings, worker_load
from tradebot_ops.text.quantities import quantity

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


@look(asks=(redis.pings,))
def queue_store(pings: tuple[float, ...]) -> View:
    slowest = redis.p99(sorted(pings))
    problems = (doubtful(f"Redis takes {quantity(slowest, 's')} to answer.", "tradebot diag redis"),)
    return View(
        (("Redis", f"answers within {quantity(slowest, 's')}"),), problems=problems if slowest > SLOW_REDIS_S else ()
    )


@look(asks=(requests.lately,))
def api(found: requests.Served) -> View:
    return View((("API", f"95 of 100 requests within {quantity(found.p95, 's')}"),))
