"""Requests to the API: how fast and how well they were answered of late, and the line that one leaves in the log."""

import json
import math
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeGuard

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogQuery
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.text.sentences import agreed

#: Prometheus is believed from so many requests on.
REQUESTS = 20
#: Reads the ledger, as most requests do, and needs no key.
SAMPLED = "/jobs?limit=1"
LOGGED = "/health"
WAIT_SECONDS = 5.0


def expressions(minutes: int) -> tuple[str, str, str]:
    """Queries to Prometheus: how many requests, the time that 95 of 100 stay below, the share that failed."""
    buckets = f'sum by (le) (increase(http_request_duration_seconds_bucket{{job="api"}}[{minutes}m]))'
    count = f'sum(increase(http_requests_total{{job="api"}}[{minutes}m]))'
    failed = f'sum(increase(http_requests_total{{job="api",status=~"5.."}}[{minutes}m]))'
    return count, f"histogram_quantile(0.95, {buckets})", f"({failed} or vector(0)) / {count}"


_COUNT, P95, ERRORS = expressions(15)


@dataclass(frozen=True)
class Served:
    """Seconds that 95 of 100 requests stay below, the share that failed with 5xx (0 to 1), of how many requests, and
    ``source``: who measured that."""

    p95: float
    errors: float
    requests: float
    source: str


@fact(seconds=60)
def served(ops: Ops) -> Served:
    """The last 15 minutes as Prometheus has them; where it has too little, twenty requests now."""
    return _served(ops, 15)


@fact(seconds=60)
def lately(ops: Ops) -> Served:
    """The same of the last two minutes, for who asks what is wrong now: what was mended is soon no longer in it."""
    return _served(ops, 2)


def _served(ops: Ops, minutes: int) -> Served:
    try:
        count, p95, errors = (prometheus.one(ops, each) for each in expressions(minutes))
    except OpsError as error:
        return _sampled(ops, error.message)
    if count and count >= REQUESTS and _known(p95) and _known(errors):
        return Served(p95, errors, count, agreed(f"Prometheus, over {minutes} minutes"))
    return _sampled(ops, "Prometheus has seen too few requests.")


def _known(value: float | None) -> TypeGuard[float]:
    """Of no requests Prometheus makes no series, or one that is not a number."""
    return value is not None and math.isfinite(value)


def _sampled(ops: Ops, why: str) -> Served:
    answers = [ops.api.knock("GET", SAMPLED, keyed=True) for _ in range(REQUESTS)]
    times = sorted(answer.seconds for answer in answers)
    failed = sum(answer.status >= 500 for answer in answers)
    source = f"{REQUESTS} × GET {SAMPLED} now. {why}"
    return Served(times[math.ceil(0.95 * REQUESTS) - 1], failed / REQUESTS, REQUESTS, source)


@dataclass(frozen=True)
class Logged:
    """Lines of the API's log that name the id we gave a request, and the status that we got."""

    request_id: str
    status: int
    lines: tuple[str, ...]

    @property
    def records(self) -> tuple[dict[str, object], ...]:
        """Those lines that are JSON objects."""
        found = []
        for line in self.lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                found.append(record)
        return tuple(found)


@fact(seconds=20, effect=Effect.WRITES)
def logged(ops: Ops) -> Logged:
    """One request with an id of ours, then the log until the id turns up in it."""
    request_id = f"tradebot-check-{secrets.token_hex(8)}"
    since = ops.clock() - timedelta(seconds=10)
    answer = ops.api.knock("GET", LOGGED, {"X-Request-ID": request_id})
    end = time.monotonic() + WAIT_SECONDS
    while True:
        lines = ops.engine.logs(LogQuery(services=("api",), since=since))
        found = tuple(line.text for line in lines if request_id in line.text)
        if found or time.monotonic() >= end:
            return Logged(request_id, answer.status, found)
        time.sleep(0.2)
