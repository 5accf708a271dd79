"""Signs that several causes share. Each returns what it saw, in words; an empty text where it is not there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tradebot_ops.diagnostics.cause import Sign, either, sign
from tradebot_ops.engines.base import Event, State
from tradebot_ops.facts import host, moment, requests
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import services
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.facts.stores import postgres, redis
from tradebot_ops.facts.work import queue, worker_load, workers
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import quantity

LATELY = timedelta(hours=1)
#: Jobs are due and for so long nobody took one.
STUCK_S = 30.0
CRASHES = 3
#: So long a service must live at least after its last crash, to count as mended.
QUIET = timedelta(minutes=1)


def stopped(service: str) -> Sign:
    """None of its replicas runs, although it is described and this host can run it."""

    @sign(services.now, stack.description, stack.absent)
    def see(found: Sequence[Condition], described: Stack, absent: Mapping[str, str]) -> str:
        if service not in described.services or service in absent:
            return ""
        mine = [each for each in found if each.replica.service == service]
        if any(each.replica.state is State.RUNNING for each in mine):
            return ""
        return f"{mine[0].replica.label} is {mine[0].word}: {mine[0].detail}" if mine else f"{service} has no replica"

    return see


@sign(services.now, stack.description)
def nothing_runs(found: Sequence[Condition], described: Stack) -> str:
    if any(each.replica.state is State.RUNNING for each in found):
        return ""
    return f"none of {len(described.services)} services runs"


def hung(service: str) -> Sign:
    """A process that runs and does not answer."""

    @sign(services.now)
    def see(found: Sequence[Condition]) -> str:
        mute = [each for each in found if each.replica.service == service and each.word == "unhealthy"]
        running = [each for each in mute if each.replica.state is State.RUNNING]
        return f"{running[0].replica.label} runs and does not answer: {running[0].detail}" if running else ""

    return see


def fewer(service: str) -> Sign:
    """Some of its replicas are missing."""

    @sign(services.now, stack.description)
    def see(found: Sequence[Condition], described: Stack) -> str:
        wanted = described.services[service].replicas if service in described.services else 0
        running = sum(each.replica.service == service and each.replica.state is State.RUNNING for each in found)
        return f"{running} of {wanted} replicas of {service} run" if running < wanted else ""

    return see


def redis_value(name: str, bad: str) -> Sign:
    """A value of INFO that is as it must not be."""

    @sign(redis.info)
    def see(info: Mapping[str, Any]) -> str:
        return f"INFO: {name} is {bad}" if str(info.get(name, "")) == bad else ""

    return see


@sign(redis.info)
def redis_full(info: Mapping[str, Any]) -> str:
    used, limit = int(info["used_memory"]), int(info["maxmemory"])
    text = f"Redis uses {quantity(used, 'bytes')} of {quantity(limit, 'bytes')}"
    return text if limit and used > 0.9 * limit else ""


@sign(redis.info)
def redis_evicts(info: Mapping[str, Any]) -> str:
    evicted, policy = int(info["evicted_keys"]), str(info["maxmemory_policy"])
    return f"policy {policy}, {evicted} keys evicted" if evicted or policy != "noeviction" else ""


@sign(postgres.connections)
def connections_taken(found: postgres.Connections) -> str:
    return f"{found.used} of {found.most} connections are taken" if found.used > 0.9 * found.most else ""


@sign(postgres.insides)
def blocked(insides: postgres.Insides) -> str:
    return f"{insides.blocked} sessions wait for a lock" if insides.blocked else ""


@sign(postgres.connections)
def idle_in_transaction(found: postgres.Connections) -> str:
    names = few(found.idle_in_transaction)
    return f"transactions are open and idle: {names}" if names else ""


@sign(queue.queue)
def stuck(found: queue.Queue) -> str:
    """Jobs are due, and no worker takes them."""
    old = (found.oldest_s or 0) > STUCK_S and (found.claimed_s is None or found.claimed_s > STUCK_S)
    return f"{found.due} jobs are due, the oldest for {quantity(found.oldest_s or 0, 's')}" if found.due and old else ""


@sign(queue.queue)
def long_queue(found: queue.Queue) -> str:
    return f"{found.waiting} jobs wait" if found.waiting > 70 else ""


@sign(queue.dead_letters)
def jobs_given_up(found: queue.DeadLetters) -> str:
    return f"{found.hour} jobs were given up within an hour" if found.hour >= CRASHES else ""


@sign(queue.dead_letters)
def jobs_too_big(found: queue.DeadLetters) -> str:
    return f"{found.memory} jobs were killed for memory within an hour" if found.memory else ""


@sign(workers.replicas, workers.beats)
def heartbeats_fresh(replicas: Sequence[workers.Worker], beats: Sequence[workers.Beat]) -> str:
    fresh = {beat.name for beat in beats if beat.fresh}
    heard = [each.label for each in replicas if fresh & set(each.names)]
    return f"heartbeats are fresh: {few(heard)}" if heard and len(heard) == len(replicas) else ""


@sign(workers.replicas, workers.beats)
def silent_worker(replicas: Sequence[workers.Worker], beats: Sequence[workers.Beat]) -> str:
    fresh = {beat.name for beat in beats if beat.fresh}
    silent = [each.label for each in replicas if not fresh & set(each.names)]
    return f"no fresh heartbeat of {few(silent)}" if silent else ""


@sign(workers.replicas, workers.beats)
def all_busy(replicas: Sequence[workers.Worker], beats: Sequence[workers.Beat]) -> str:
    """At this moment, when the average of minutes does not show it yet."""
    busy = {beat.name for beat in beats if beat.fresh and beat.state == "busy"}
    mine = [each.label for each in replicas if busy & set(each.names)]
    return f"all {len(mine)} workers have a job" if mine and len(mine) == len(replicas) else ""


@sign(workers.replicas, workers.beats)
def all_drained(replicas: Sequence[workers.Worker], beats: Sequence[workers.Beat]) -> str:
    drained = {beat.name for beat in beats if beat.fresh and beat.state in {"draining", "drained"}}
    mine = [each.label for each in replicas if drained & set(each.names)]
    return f"drained: {few(mine)}" if mine and len(mine) == len(replicas) else ""


@sign(worker_load.utilisation)
def long_busy(found: worker_load.Utilisation) -> str:
    return f"{found.workers} workers are busy {found.share:.0%} of the time" if found.share > 0.9 else ""


workers_busy = either(all_busy, long_busy)


@sign(requests.lately)
def api_slow(found: requests.Served) -> str:
    return f"5 of 100 requests take longer than {quantity(found.p95, 's')}" if found.p95 > 1.0 else ""


@sign(requests.lately)
def api_fails(found: requests.Served) -> str:
    return f"{found.errors:.0%} of the requests fail" if found.errors > 0.05 else ""


@sign(services.events, moment.now)
def kernel_killed(events: Sequence[Event], now: datetime) -> str:
    names = sorted({event.label for event in events if event.action == "oom" and now - event.at < LATELY})
    return f"the kernel killed for memory: {few(names)}" if names else ""


killed_for_memory = either(kernel_killed, jobs_too_big)


@sign(services.now, services.events, moment.now)
def crash_loop(found: Sequence[Condition], events: Sequence[Event], now: datetime) -> str:
    given_up = {each.replica.label for each in found if each.replica.state in {State.FAILED, State.RESTARTING}}
    died: dict[str, list[datetime]] = defaultdict(list)
    for event in events:
        if crashed(event, now):
            died[event.label].append(event.at)
    loops = {name: times for name, times in died.items() if len(times) >= CRASHES}
    worst = [f"{name} {len(times)} times" for name, times in loops.items() if name in given_up or _lasts(times, now)]
    return f"died within an hour: {few(worst)}" if worst else ""


def crashed(event: Event, now: datetime) -> bool:
    """It died of itself within the hour: neither was it stopped, nor had it done its work."""
    return event.action == "die" and event.exit_code not in {0, 143, None} and now - event.at < LATELY


def _lasts(died: Sequence[datetime], now: datetime) -> bool:
    """A loop is over once it was quiet for twice as long as between any two of its deaths."""
    longest = max(later - earlier for earlier, later in pairwise(died))
    return now - died[-1] < max(2 * longest, QUIET)


def pressed(resource: str, share: float) -> Sign:
    """Work waits for a resource of the host for more than this share (0 to 1) of the last minutes."""

    @sign(host.pressure)
    def see(found: host.Pressure) -> str:
        waits = found.some.get(resource, 0.0)
        return f"work waits for {resource} {waits:.0%} of the time" if waits > share else ""

    return see


@sign(host.disk)
def disk_full(disk: host.Disk) -> str:
    return f"{disk.free / disk.total:.0%} of {disk.path} is free" if disk.free < 0.05 * disk.total else ""


@sign(host.clock)
def clock_off(clock: host.Clock) -> str:
    offset = max(abs(clock.offset or 0.0), abs(clock.engine_apart))
    return f"the clock is off by {quantity(offset, 's')}" if offset > 1.0 else ""
