"""Redis: whether it answers and keeps what it is given, how it is set, who may log in, what it says of itself."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.clients.redis import AclUser, Redis, RoundTrip, SlowCommand
from tradebot_ops.context import Ops
from tradebot_ops.errors import Refused
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.sentences import shortened

SERVICE = "redis"
#: The user of the API and the workers, and of whoever gives no name.
DEFAULT_USER = "default"
#: Seconds that a PING may take; measured again where one took longer.
SOON_S = 0.005
#: For so long a slow one may be due to this process, which asks a hundred other questions meanwhile.
PATIENCE_S = 3.0


@dataclass(frozen=True)
class Anonymous:
    """A login without a password: ``refused``, with Redis' words."""

    refused: bool
    answer: str


#: Characters of a report that are kept.
LONGEST = 300
#: How the doctors begin when nothing is wrong, or when there is too little to look at.
CONTENT = ("no latency spike was observed", "can't find any memory issue", "very little memory")


@dataclass(frozen=True)
class Doctors:
    """Redis' own reports about its delays and memory."""

    latency: str
    memory: str

    @property
    def advice(self) -> dict[str, str]:
        """Reports that find something, on one line each, by what they are about."""
        found = {"latency": self.latency, "memory": self.memory}
        return {
            name: shortened(words, LONGEST)
            for name, words in found.items()
            if not any(sign in words.lower() for sign in CONTENT)
        }


@fact(effect=Effect.WRITES)
def round_trip(ops: Ops) -> RoundTrip:
    return ops.redis.round_trip()


@fact(seconds=10)
def pings(ops: Ops) -> tuple[float, ...]:
    """Seconds that each of a hundred PINGs took, shortest first.

    The best of several series within ``PATIENCE_S``: what else this process and host do only adds.
    """
    began = time.monotonic()
    best = ops.redis.ping_latencies(100)
    while p99(best) >= SOON_S and time.monotonic() - began < PATIENCE_S:
        time.sleep(0.1)
        best = min(best, ops.redis.ping_latencies(100), key=p99)
    return best


def p99(sorted_seconds: Sequence[float]) -> float:
    return sorted_seconds[int(0.99 * (len(sorted_seconds) - 1))]


@fact()
def info(ops: Ops) -> Mapping[str, Any]:
    return ops.redis.info()


@fact()
def config(ops: Ops) -> Mapping[str, str]:
    """The settings in force; passwords are hidden."""
    return ops.redis.config()


@fact()
def slowlog(ops: Ops) -> tuple[SlowCommand, ...]:
    return tuple(ops.redis.slowlog())


@fact()
def default_user(ops: Ops) -> AclUser | None:
    return ops.redis.acl_getuser(DEFAULT_USER)


@fact()
def anonymous(ops: Ops) -> Anonymous:
    """Tried, not read from the settings: a PING without any password."""
    address = ops.engine.endpoint(SERVICE, 6379)
    try:
        Redis(address.host, address.port, None).ping_latencies(1)
    except Refused as refused:
        return Anonymous(refused=True, answer=refused.message)
    return Anonymous(refused=False, answer="PONG")


@fact()
def doctors(ops: Ops) -> Doctors:
    return Doctors(ops.redis.latency_doctor(), ops.redis.memory_doctor())


def declared(stack: Stack) -> dict[str, str]:
    """Settings on the command line of the next start: ``--name value``, names without dashes; empty without a Redis."""
    service = stack.services.get(SERVICE)
    words = [*(service.entrypoint or ()), *service.command] if service else []
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            found[name] = []
        elif name:
            found[name].append(word)
    return {name: " ".join(values) for name, values in found.items()}
