"""From what was used to what is set: pure, and silent where too little is known.

Each rule leaves a setting alone inside a band, so that the next look does not take back what this one did.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tradebot_ops.facts.metrics.usage import Usage
from tradebot_ops.settings import MAX_REPLICAS
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import agreed

MB = 1024**2
DAY_S = 86_400.0
#: Share of the window, or of a day where it is longer, that must be on record.
ENOUGH = 0.9
JOBS_NEEDED = 20
BLOCKS_NEEDED = 10_000
#: Below and above these shares of the workers busy, their number is changed so that GOAL of them are.
IDLE, GOAL, BUSY = 0.6, 0.7, 0.8
#: A limit that its peak comes so near is raised; one that could be smaller than this share of itself is lowered.
NEAR, FAR = 0.8, 0.6
LEAST_JOB, LEAST_REDIS, LEAST_BUFFERS = 256 * MB, 128 * MB, 128 * MB
GOOD_HITS = 0.99


@dataclass(frozen=True)
class Limits:
    """Settings in force; sizes in bytes."""

    workers: int
    worker_memory: int
    job_memory: int
    redis_memory: int
    shared_buffers: int
    connections: int


@dataclass(frozen=True)
class Change:
    """One setting, from what to what and why. ``frees`` is memory in bytes that others may use; negative: it costs."""

    setting: str
    before: int
    after: int
    why: str
    frees: int = 0


@dataclass(frozen=True)
class Kept:
    """A setting that stays, and why: it fits, or too little is known to say."""

    setting: str
    why: str
    known: bool = True


@dataclass(frozen=True)
class Decision:
    """``lacking`` is a sentence when nothing can be decided at all."""

    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    lacking: str = ""


Rule = Callable[[Usage, Limits], Iterator[Change | Kept]]


def decide(usage: Usage, now: Limits) -> Decision:
    needed = ENOUGH * min(usage.window_s, DAY_S)
    if usage.measured_s < needed:
        return Decision(lacking=_lacking(usage, needed))
    found = [each for rule in (_workers, _memory, _redis, _buffers, _connections) for each in rule(usage, now)]
    return Decision(
        tuple(each for each in found if isinstance(each, Change)),
        tuple(each for each in found if isinstance(each, Kept)),
    )


def _lacking(usage: Usage, needed: float) -> str:
    have, window = (quantity(each, "s") for each in (usage.measured_s, usage.window_s))
    return (
        f"Of the last {window}, {have} of measurements are on record; {quantity(needed, 's')} are needed, "
        f"{quantity(needed - usage.measured_s, 's')} more."
    )


def _workers(usage: Usage, now: Limits) -> Iterator[Change | Kept]:
    name = "WORKER_REPLICAS"
    if usage.busy is None:
        yield Kept(name, "Nobody measured how many workers are busy.", known=False)
        return
    if now.workers == 0:
        yield Kept(name, "No workers are wanted.")
        return
    share = usage.busy / now.workers
    reason = agreed(f"In 95 % of the time at most {usage.busy:.1f} of {now.workers} workers were busy ({share:.0%})")
    after = min(max(1, math.ceil(round(usage.busy / GOAL, 6))), MAX_REPLICAS)
    idle = share < IDLE and not usage.waiting and after < now.workers
    if idle or (share > BUSY and after > now.workers and _fits(usage, now, after)):
        queue = agreed(f" and {usage.waiting:.0f} jobs waited") if usage.waiting else ""
        yield Change(
            name,
            now.workers,
            after,
            f"{reason}{queue}; {GOAL:.0%} is the goal.",
            (now.workers - after) * now.worker_memory,
        )
    elif share > BUSY:
        yield Kept(name, f"{reason}, and this host has no memory for more.")
    else:
        yield Kept(name, f"{reason}.")


def _fits(usage: Usage, now: Limits, workers: int) -> bool:
    """Whether three quarters of the host's memory hold so many workers at the peak of one."""
    if usage.host_bytes is None or usage.worker_peak_bytes is None:
        return True
    return workers <= now.workers or workers * usage.worker_peak_bytes < 0.75 * usage.host_bytes


def _memory(usage: Usage, now: Limits) -> Iterator[Change | Kept]:
    """A job's limit follows its peak; a worker's holds two such jobs and the worker itself."""
    names = ("JOB_MEMORY_LIMIT", "WORKER_MEMORY_LIMIT")
    jobs = usage.jobs
    if jobs.jobs < JOBS_NEEDED and not jobs.killed:
        missing = JOBS_NEEDED - jobs.jobs
        why = agreed(f"{jobs.jobs} jobs ended in the window; {JOBS_NEEDED} are needed, {missing} more.")
        yield from (Kept(name, why, known=False) for name in names)
        return
    job, why = _job_memory(usage, now)
    worker = 2 * job + _steps(1.5 * (usage.worker_idle_bytes or 128 * MB), 64)
    if job > now.job_memory or worker < FAR * now.worker_memory or worker > now.worker_memory:
        if job != now.job_memory:
            yield Change(names[0], now.job_memory, job, why)
        if worker != now.worker_memory:
            reason = f"Twice a job's {human_bytes(job)}, and half as much again as an idle worker takes."
            yield Change(names[1], now.worker_memory, worker, reason, now.workers * (now.worker_memory - worker))
        return
    yield from (Kept(name, why) for name in names)


def _job_memory(usage: Usage, now: Limits) -> tuple[int, str]:
    jobs = usage.jobs
    if jobs.killed:
        return 2 * now.job_memory, agreed(
            f"{jobs.killed} jobs were killed at {human_bytes(now.job_memory)}: twice as much."
        )
    reason = agreed(f"The largest of {jobs.jobs} jobs took {human_bytes(int(jobs.peak_bytes))}")
    after = max(_steps(1.5 * jobs.peak_bytes, 64), LEAST_JOB)
    if jobs.peak_bytes > NEAR * now.job_memory:
        return max(after, now.job_memory), f"{reason}, {jobs.peak_bytes / now.job_memory:.0%} of its limit."
    return min(after, now.job_memory), f"{reason}; half as much again is enough."


def _redis(usage: Usage, now: Limits) -> Iterator[Change | Kept]:
    name, peak = "REDIS_MAXMEMORY", usage.redis_peak_bytes
    if peak is None:
        yield Kept(name, "Nobody measured Redis' memory.", known=False)
        return
    reason = f"Redis took {human_bytes(int(peak))} of {human_bytes(now.redis_memory)} at most"
    if peak > NEAR * now.redis_memory:
        after = _steps(2 * peak, 64)
        yield Change(name, now.redis_memory, after, f"{reason}: twice the peak.", 2 * (now.redis_memory - after))
        return
    after = max(_steps(3 * peak, 64), LEAST_REDIS)  # a queue grows fast when its workers are away
    if after < FAR * now.redis_memory:
        yield Change(name, now.redis_memory, after, f"{reason}: three times the peak.", 2 * (now.redis_memory - after))
    else:
        yield Kept(name, f"{reason}.")


def _buffers(usage: Usage, now: Limits) -> Iterator[Change | Kept]:
    name, size, hits = "POSTGRES_SHARED_BUFFERS", usage.database_bytes, usage.hits
    if size is None:
        yield Kept(name, "Nobody measured the size of the database.", known=False)
        return
    reason = f"The database has {human_bytes(int(size))}, its cache {human_bytes(now.shared_buffers)}"
    smaller = max(_steps(1.25 * size, 32), LEAST_BUFFERS)
    if smaller < FAR * now.shared_buffers:
        yield Change(
            name, now.shared_buffers, smaller, f"{reason}: it all fits in less.", 2 * (now.shared_buffers - smaller)
        )
        return
    if usage.blocks < BLOCKS_NEEDED or hits is None:
        yield Kept(
            name, agreed(f"{reason}; {usage.blocks:.0f} blocks were read, {BLOCKS_NEEDED} are needed."), known=False
        )
        return
    reason += f"; {hits:.1%} of the reads hit it"
    larger = min(2 * now.shared_buffers, _steps(0.25 * (usage.host_bytes or 0), 32))
    if hits < GOOD_HITS and size > now.shared_buffers and larger > now.shared_buffers:
        yield Change(name, now.shared_buffers, larger, f"{reason}.", 2 * (now.shared_buffers - larger))
    else:
        yield Kept(name, f"{reason}.")


def _connections(usage: Usage, now: Limits) -> Iterator[Change | Kept]:
    name, peak = "POSTGRES_MAX_CONNECTIONS", usage.connections_peak
    if peak is None:
        yield Kept(name, "Nobody counted the connections.", known=False)
    elif peak > NEAR * now.connections:
        yield Change(name, now.connections, min(math.ceil(2 * peak), 10_000), f"{peak:.0f} were open at once.")
    else:
        yield Kept(name, f"{peak:.0f} of {now.connections} were open at most.")


def _steps(size: float, megabytes: int) -> int:
    """Rounded up, so that a few bytes more or less are no change."""
    return math.ceil(size / (megabytes * MB)) * megabytes * MB
