"""Jobs of our own, followed from hop to hop: accepted, taken, done, kept, counted."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, fact
from tradebot_ops.facts.work import workers
from tradebot_ops.facts.work.follow import ENDED, follow
from tradebot_ops.facts.work.workers import Worker
from tradebot_ops.text.sentences import agreed

TYPE = "canary"
CANARY_SECONDS = 15.0
#: Two scrapes, and a little for each to end.
SCRAPED_SECONDS = 35.0
PROCESSED = "worker_jobs_processed_total"
COUNTED = f'sum({PROCESSED}{{job="worker",job_type="{TYPE}",status="succeeded"}})'

_ROW = "SELECT state, worker, result ->> 'nonce' AS nonce FROM job WHERE id = %s::uuid"


@dataclass(frozen=True)
class Hop:
    """One link of the way; ``broken`` says what is wrong with it, and is empty where it holds."""

    name: str
    seconds: float
    broken: str = ""


@dataclass(frozen=True)
class Journey:
    """The hops in their order, the last one being the broken one if any is; ``unmeasured`` where nothing scrapes."""

    job_id: str
    hops: tuple[Hop, ...]
    unmeasured: bool = False

    @property
    def broken(self) -> Hop | None:
        return next((hop for hop in self.hops if hop.broken), None)


@fact(seconds=75, of=(workers.replicas,), effect=Effect.CANARY)
def canary(ops: Ops, replicas: Sequence[Worker]) -> Journey:
    """A canary with a nonce, from the API to Prometheus; one that does not end in time is cancelled."""
    return _Trip(ops, replicas).travel()


class _Trip:
    """One canary under way. Each hop returns what is wrong, or nothing."""

    def __init__(self, ops: Ops, replicas: Sequence[Worker]) -> None:
        self._ops, self._replicas = ops, replicas
        self._nonce = secrets.token_hex(8)
        self._before: Mapping[str, float | None] = {}
        self._job: dict[str, Any] = {}
        self._measured = "prometheus" in ops.stack.services

    def travel(self) -> Journey:
        self._before = self._counters()
        hops: list[Hop] = []
        for name, hop in self._way():
            began = time.monotonic()
            try:
                broken = hop()
            except OpsError as error:
                broken = error.message.rstrip(".")
            hops.append(Hop(name, time.monotonic() - began, broken))
            if broken:
                break
        return Journey(str(self._job.get("id", "")), tuple(hops), unmeasured=not self._measured)

    def _way(self) -> list[tuple[str, Callable[[], str]]]:
        way = [
            ("API", self._accepted),
            ("worker", self._done),
            ("Postgres", self._kept),
            ("worker's counter", self._counted),
        ]
        return [*way, ("Prometheus", self._scraped)] if self._measured else way

    def _accepted(self) -> str:
        self._job = self._ops.api.submit(TYPE, {"nonce": self._nonce})
        return ""

    def _done(self) -> str:
        job = self._job = follow(self._ops, self._job["id"], time.monotonic() + CANARY_SECONDS)
        if job["state"] not in ENDED:
            with suppress(OpsError):  # it may have ended at this moment
                self._ops.api.cancel(job["id"])
            where = "no worker took it" if job["state"] == "queued" else f"{job['worker']} has not finished it"
            return f"after {CANARY_SECONDS:g} s {where}"
        if job["state"] != "succeeded":
            return f"it ended as {job['state']}: {(job.get('error') or {}).get('message') or 'no reason recorded'}"
        return "" if job["result"].get("nonce") == self._nonce else "the result is another job's"

    def _kept(self) -> str:
        rows = self._ops.postgres.rows(_ROW, [self._job["id"]])
        if not rows:
            return "the ledger has no such job"
        kept = (rows[0]["state"], rows[0]["worker"], rows[0]["nonce"])
        return "" if kept == ("succeeded", self._job["worker"], self._nonce) else f"the ledger has {kept}"

    def _counted(self) -> str:
        name = self._job["worker"]
        label = next((each.label for each in self._replicas if name in each.names), None)
        if label is None:
            return f"{name} did it, and is no replica of this project"
        before, after = self._before.get(label), self._counters().get(label)
        if after is None:
            return f"{label} does not show {PROCESSED}"
        # Another user's canary may be counted, too.
        return "" if after >= (before or 0.0) + 1 else f"{label} counted {after - (before or 0.0):g} of 1 job"

    def _scraped(self) -> str:
        wanted = sum(value for value in self._counters().values() if value is not None)
        end = time.monotonic() + SCRAPED_SECONDS
        while True:
            found = self._ops.prometheus.query(COUNTED)
            if found and found[0].value >= wanted:
                return ""
            if time.monotonic() >= end:
                seen = f"{found[0].value:g}" if found else "none"
                return agreed(f"after {SCRAPED_SECONDS:g} s it has {seen} of {wanted:g} canaries")
            time.sleep(1.0)

    def _counters(self) -> dict[str, float | None]:
        shown = workers.shown(self._ops, self._replicas)
        return {each.label: each.value(PROCESSED, job_type=TYPE, status="succeeded") for each in shown}
