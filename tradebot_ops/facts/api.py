"""The API as its callers see it: health, metrics, counters, doors that must be shut."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn

from tradebot_ops.clients.api import Answer
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, NotApplicable, Skip, fact
from tradebot_ops.facts.metrics import samples
from tradebot_ops.facts.metrics.samples import Family

#: Nobody else sends this request: its route has no PUT, so the API refuses, counts and logs it, and does nothing.
OURS = ("PUT", "/health/live", "405")
REQUESTS = 10
READS = 5
TRIES, PAUSE_S = 5, 1.5
#: More than the API takes (1 MiB).
TOO_LONG = 64 * 1024**2


@dataclass(frozen=True)
class Health:
    """Answer of ``/health``, and whether Redis and Postgres answered ourselves: empty, or why they did not."""

    document: Mapping[str, Any]
    ours: Mapping[str, str]


@dataclass(frozen=True)
class Shown:
    """Samples at ``/metrics``, by name; ``unreadable`` gives the reason why Prometheus could not read it."""

    families: Mapping[str, Family]
    unreadable: str = ""


@dataclass(frozen=True)
class Moved:
    """By how much a counter and the count of a histogram grew after ``sent`` requests; names of what went down."""

    sent: int
    counted: float
    timed: float
    fell: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doors:
    """The status of each request that must be refused, and of ``/docs``."""

    job: int
    webhook: int
    method: int
    body: int
    docs: int


@fact(seconds=30)
def pings(ops: Ops) -> tuple[Answer, ...]:
    """Five times ``GET /health``."""
    return tuple(ops.api.knock("GET", "/health") for _ in range(5))


@fact(seconds=20)
def health(ops: Ops) -> Health:
    asked: dict[str, Callable[[], object]] = {
        "redis": lambda: ops.redis.ping_latencies(1),
        "postgres": lambda: ops.postgres.rows("SELECT 1 AS one"),
    }
    ours = {}
    for name, ask in asked.items():
        try:
            ask()
            ours[name] = ""
        except OpsError as error:
            ours[name] = error.message
    return Health(ops.api.health(), ours)


@fact(seconds=15)
def metrics(ops: Ops) -> Shown:
    text = ops.api.metrics()
    try:
        return Shown(samples.parse(text))
    except ValueError as error:
        return Shown({}, str(error) or type(error).__name__)


@fact(seconds=30, effect=Effect.WRITES)
def moved(ops: Ops) -> Moved:
    """Ten requests that only we send, and what the metrics make of them.

    Again where more were counted, after a while that nobody else waits for: another run of this check may be asking
    the same at this moment, and would meet this one again and again.
    """
    for attempt in range(TRIES):
        time.sleep(random.uniform(0, PAUSE_S * attempt))  # noqa: S311 - no secret
        found = _moved(ops)
        if found.counted <= REQUESTS and found.timed <= REQUESTS:
            break
    return found


def _moved(ops: Ops) -> Moved:
    reads = [samples.parse(ops.api.metrics())]
    for _ in range(REQUESTS):
        ops.api.knock(*OURS[:2])
    reads += [samples.parse(ops.api.metrics()) for _ in range(READS)]
    counts, times = [_counted(each) for each in reads], [_timed(each) for each in reads]
    falls = [name for before, after in pairwise(reads) for name in _fallen(before, after)]
    return Moved(REQUESTS, counts[-1] - counts[0], times[-1] - times[0], tuple(dict.fromkeys(falls)))


def _counted(families: Mapping[str, Family]) -> float:
    labels = tuple(sorted({"method": OURS[0], "endpoint": OURS[1], "status": OURS[2]}.items()))
    return _value(families, "http_requests_total", "http_requests_total", labels)


def _timed(families: Mapping[str, Family]) -> float:
    name = "http_request_duration_seconds"
    return _value(families, name, f"{name}_count", tuple(sorted({"method": OURS[0], "endpoint": OURS[1]}.items())))


def _value(families: Mapping[str, Family], name: str, series: str, labels: tuple[tuple[str, str], ...]) -> float:
    return families[name].values.get((series, labels), 0.0) if name in families else 0.0


def _fallen(before: Mapping[str, Family], after: Mapping[str, Family]) -> list[str]:
    """Counters that are lower than they were, or gone."""
    return [
        name
        for name, family in before.items()
        if family.type == "counter"
        for series, value in family.values.items()
        if name not in after or after[name].values.get(series, -1.0) < value
    ]


@fact(seconds=20)
def doors(ops: Ops) -> Doors:
    """Knocked at without our key; each is refused before anything happens."""
    return Doors(
        job=ops.api.knock("POST", "/jobs").status,
        webhook=ops.api.knock("POST", "/alerts/webhook").status,
        method=ops.api.knock("PUT", "/jobs").status,
        body=ops.api.announce("/jobs", TOO_LONG),
        docs=ops.api.knock("GET", "/docs").status,
    )


@fact()
def outage_drill(ops: Ops) -> NoReturn:
    raise NotApplicable(Skip.LATER, "No outage was rehearsed yet: the command for drills comes later.")
