"""Workers: which replicas there are, how each was last heard, and what each shows at its own port."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import samples
from tradebot_ops.facts.metrics.samples import Family
from tradebot_ops.facts.replicas import logs
from tradebot_ops.facts.replicas.logs import Entry
from tradebot_ops.facts.work.worker_names import worker_names

SERVICE = "worker"
PORT = 9091
SECONDS = 5.0
AT_ONCE = 16
#: A worker sends a heartbeat once in so many seconds.
INTERVAL_S = 1.0
LATE_S = 3 * INTERVAL_S
LINES = 200


@dataclass(frozen=True)
class Beat:
    """The last heartbeat of one worker: ``age`` in seconds, ``state`` idle, busy, draining or drained."""

    name: str
    state: str
    age: float

    @property
    def fresh(self) -> bool:
        return self.age <= LATE_S


@dataclass(frozen=True)
class Worker:
    """One replica; a heartbeat with one of ``names`` is its own."""

    label: str
    number: int
    names: tuple[str, ...]
    started_at: datetime | None = None


@dataclass(frozen=True)
class Shown:
    """Samples of one replica at ``/metrics``, or why it shows nothing that can be read."""

    label: str
    families: Mapping[str, Family] = field(default_factory=dict)
    unreadable: str = ""

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of the samples with these labels; None where there is none."""
        wanted = set(labels.items())
        family = self.families.get(name)
        found = [value for (_, own), value in family.values.items() if wanted <= set(own)] if family else []
        return sum(found) if found else None


def scrape(ops: Ops, number: int) -> str:
    """Metrics of the replica of this number at its own port, published or not. Raises ``OpsError`` TB-0509."""
    import httpx

    from tradebot_ops.clients.connection import plain

    hint = "tradebot status; tradebot logs worker --tail 50"
    try:
        address = ops.engine.endpoint(SERVICE, PORT, number)
    except OpsError as error:
        why = error.message.rstrip(".")
        raise OpsError(f"Worker {number} cannot be asked: {why}.", code="TB-0509", hint=hint) from None
    try:
        with plain.client(timeout=SECONDS) as client:
            response = client.get(f"http://{address}/metrics")
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise OpsError(f"Worker {number} at {address} does not answer: {why}.", code="TB-0509", hint=hint) from None
    if response.status_code != httpx.codes.OK:
        message = f"Worker {number} at {address} answers HTTP {response.status_code} instead of metrics."
        raise OpsError(message, code="TB-0509", hint=hint)
    return response.text


@fact()
def replicas(ops: Ops) -> tuple[Worker, ...]:
    """Those that live, by number."""
    found = (each for each in ops.engine.list() if each.service == SERVICE and each.state.alive)
    return tuple(
        Worker(each.label, each.number, worker_names(each), each.started_at)
        for each in sorted(found, key=lambda each: each.number)
    )


@fact(seconds=25)
def beats(ops: Ops) -> tuple[Beat, ...]:
    """Heartbeats. Where one is late all are heard again: one that was only just late is not late the second time."""
    beats = heard(ops)
    if all(beat.fresh for beat in beats):
        return beats
    first = {beat.name: beat for beat in beats}
    time.sleep(INTERVAL_S)
    return tuple(min(beat, first.get(beat.name, beat), key=lambda each: each.age) for beat in heard(ops))


def heard(ops: Ops) -> tuple[Beat, ...]:
    """Heartbeats that have not run out, as the API finds them in Redis."""
    return tuple(Beat(each["name"], each["state"], each["age_s"]) for each in ops.api.workers())


@fact(seconds=20, of=(replicas,))
def shown(ops: Ops, replicas: Sequence[Worker]) -> tuple[Shown, ...]:
    """Samples of each replica, asked at once."""
    with ThreadPoolExecutor(max_workers=max(1, min(len(replicas), AT_ONCE))) as pool:
        return tuple(pool.map(lambda worker: look(ops, worker), replicas))


def look(ops: Ops, worker: Worker) -> Shown:
    try:
        return Shown(worker.label, samples.parse(scrape(ops, worker.number)))
    except OpsError as error:
        return Shown(worker.label, unreadable=error.message)
    except ValueError as error:
        return Shown(worker.label, unreadable=f"Prometheus cannot read it: {str(error) or type(error).__name__}.")


@fact(of=(replicas, logs.recent))
def log(ops: Ops, replicas: Sequence[Worker], recent: Mapping[str, tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """The last lines that each replica wrote since it was started."""
    del ops
    last = ((each, recent.get(each.label, ())[-LINES:]) for each in replicas)
    return tuple(entry for each, entries in last for entry in logs.since(entries, each.started_at))


@fact(of=(replicas,))
def memory_limit(ops: Ops, replicas: Sequence[Worker]) -> int | None:
    """Bytes that a worker and its job may use together; None where nothing limits them."""
    return ops.stack.services[SERVICE].limits.memory if replicas and SERVICE in ops.stack.services else None
