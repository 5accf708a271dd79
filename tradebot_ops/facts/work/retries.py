"""Jobs of our own that fail on purpose: tried again after a wait, then given up, and taken away."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.facts.metrics.samples import parse
from tradebot_ops.facts.work import workers
from tradebot_ops.facts.work.follow import ENDED, follow
from tradebot_ops.facts.work.workers import Shown, Worker

#: The services' type for it. What counts what fails leaves it out: rules, panels, queue lengths, ``facts``.
TYPE = "failing_canary"
RETRIED, GIVEN_UP = "job_retries_total", "job_dlq_moves_total"
ATTEMPTS = 3
SECONDS = 30.0


@dataclass(frozen=True)
class Course:
    """How one job went: its last state, and the seconds that it waited before each attempt but the first."""

    job_id: str
    state: str
    attempts: int
    waits: tuple[float, ...]


@dataclass(frozen=True)
class Tries:
    """One job that fails until its last attempt, one that always fails; ``retries`` and ``moves`` are what workers
    counted meanwhile, and ``left`` says why the dead one is still there."""

    recovered: Course
    given_up: Course
    retries: float
    moves: float
    left: str = ""


@fact(seconds=75, of=(workers.replicas,), effect=Effect.CANARY)
def tries(ops: Ops, replicas: Sequence[Worker]) -> Tries:
    """Both at once. What has not ended in time is cancelled, what is dead is removed, whatever happens here."""
    before = _counters(ops, replicas)
    end = time.monotonic() + SECONDS
    with _job(ops, ATTEMPTS - 1) as recovering, _job(ops, ATTEMPTS) as failing:
        recovered, given_up = (course(follow(ops, each, end)) for each in (recovering, failing))
        left = _removed(ops, failing) if given_up.state == "dead" else ""
    after = _counters(ops, replicas)
    retries, moves = (after[name] - before[name] for name in (RETRIED, GIVEN_UP))
    return Tries(recovered, given_up, retries, moves, left)


def course(job: Mapping[str, Any]) -> Course:
    """Read from the events of a job, as the API shows them."""
    events = [(each["state"], datetime.fromisoformat(each["at"])) for each in job["events"]]
    waits = tuple(
        (at - since).total_seconds()
        for (before, since), (state, at) in pairwise(events)
        if (before, state) == ("retrying", "running")
    )
    return Course(job["id"], job["state"], sum(state == "running" for state, _ in events), waits)


@contextmanager
def _job(ops: Ops, failures: int) -> Iterator[str]:
    job = ops.api.submit(TYPE, {"nonce": secrets.token_hex(8), "failures": failures})["id"]
    try:
        yield job
    finally:
        with suppress(OpsError):  # what cannot be asked now, or is gone already, is nobody's work and counts nowhere
            if ops.api.job(job)["state"] not in ENDED:
                ops.api.cancel(job)
            ops.api.remove_dead(job)


def _removed(ops: Ops, job: str) -> str:
    """Empty where it is gone, else why it is not."""
    try:
        ops.api.remove_dead(job)
    except OpsError as error:
        return error.message
    return ""


def _counters(ops: Ops, replicas: Sequence[Worker]) -> dict[str, float]:
    """Sums over all workers. Raises ``OpsError`` TB-0509 where one cannot be asked: the others say too little."""
    shown = [Shown(each.label, parse(workers.scrape(ops, each.number))) for each in replicas]
    return {name: sum(each.value(name, job_type=TYPE) or 0.0 for each in shown) for name in (RETRIED, GIVEN_UP)}
