"""What is done to the stack: one process at a time, chosen by a seed."""

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psutil
import redis

from tests.drill.crashes.target import Target
from tests.drill.faults import frozen
from tradebot_ops.errors import NoAddress

#: What, and how often of a hundred.
KINDS = {
    "worker killed": 26,
    "job process killed": 26,
    "postgres killed": 12,
    "api killed": 12,
    "redis killed": 6,
    "redis wiped": 6,
    "worker stalled": 6,
    "postgres stalled": 2,
    "redis stalled": 2,
    "api stalled": 2,
}
#: The process of each service that does its work: what a name starts with may be a wrapper, or a container's init.
PROGRAMS = {
    "worker": ("services.worker",),
    "job process": ("services.worker.child",),
    "api": ("services.api",),
    "postgres": ("postgres",),
    "redis": ("redis-server", "valkey-server"),
}
STORES = ("postgres", "redis")
#: Beyond a lease, which is 15 s.
LONGEST_STALL_S = 20.0
PAUSE_S = 3.0
#: For a process that an earlier blow hit to be there again.
THERE_S = 10.0


@dataclass(frozen=True)
class Kill:
    """``job`` ran in what was killed."""

    kind: str
    at: datetime
    job: UUID


@dataclass
class Harm:
    """Strikes with pauses in between; ``done`` counts by kind, ``kills`` are those that hit a job.

    ``outages`` are the times at which something was done to a store.
    """

    target: Target
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    kills: list[Kill] = field(default_factory=list)
    outages: list[datetime] = field(default_factory=list)

    def strike_for(self, seconds: float) -> None:
        dice = random.Random(self.seed)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(dice.expovariate(1 / PAUSE_S), max(0.0, end - time.monotonic())))
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            if self._strike(kind, dice):
                self.done[kind] += 1
                if kind.startswith(STORES):
                    self.outages.append(datetime.now(UTC))

    def _strike(self, kind: str, dice: random.Random) -> bool:
        what, how = kind.rsplit(" ", 1)
        if how == "wiped":
            with suppress(redis.RedisError, NoAddress):
                self.target.wipe_redis()
                return True
            return False
        number = self._worker(dice) if what in {"worker", "job process"} else 1
        if number is None:
            return False
        stall_s = dice.uniform(2.0, LONGEST_STALL_S)
        if how == "stalled":
            with frozen(self.target.processes(what, number)):
                time.sleep(stall_s)
            return True
        return self._kill(what, number)

    def _worker(self, dice: random.Random) -> int | None:
        """One that runs a job, where there is one; none whose job has lost two processes already."""
        if running := self.target.running():
            return dice.choice(sorted(running))
        return None

    def _kill(self, what: str, number: int) -> bool:
        service = "worker" if what == "job process" else what
        process = self._found(service, what, number)
        if process is None:
            return False
        # Looked up last of all: most jobs are short.
        job = self.target.running().get(number) if service == "worker" else None
        at = datetime.now(UTC)
        with suppress(psutil.NoSuchProcess):
            process.kill()
            if job is not None:
                self.kills.append(Kill(what, at, job))
            return True
        return False

    def _found(self, service: str, what: str, number: int) -> psutil.Process | None:
        end = time.monotonic() + THERE_S
        while time.monotonic() < end:
            for name in PROGRAMS[what]:
                if process := self.target.process(service, name, number):
                    return process
            time.sleep(0.1)
        return None
