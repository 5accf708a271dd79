"""Workers: what each does, and whether it is to take jobs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.worker_names import worker_names
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.beginnings import short
from tradebot_ops.text.quantities import ago, human_bytes, quantity
from tradebot_ops.text.suggest import did_you_mean

WORKER = "worker"
#: A worker beats once a second; one that was silent for so long is not merely late.
SILENT_S = 5.0
#: A worker that was started so recently may not have beaten yet.
STARTING = timedelta(seconds=20)
POLL_S = 0.5
NONE = "No worker runs. Start some: tradebot up; tradebot scale workers 2"

Beat = Mapping[str, Any]


@dataclass(frozen=True)
class Worker:
    """A replica with its heartbeat; one of them alone where the other is not there."""

    replica: Replica | None
    beat: Beat | None
    state: str

    @property
    def label(self) -> str:
        return self.replica.label if self.replica else str(self.beat and self.beat["name"])

    @property
    def order(self) -> Mapping[str, Any] | None:
        """The order to take no jobs, while it stands."""
        order = self.beat and self.beat["order"]
        return order if order and order["drain"] else None


def list_(ops: Ops) -> Report:
    """Every worker: its state, its job, its heartbeat and memory, and what to type where one is not as it should be."""
    found, now = look(ops), ops.clock()
    if not found:
        return Report(data=[], sections=(Section(lines=(NONE,)),))
    jobs = short([each.beat["job_id"] for each in found if each.beat and each.beat["job_id"]])
    columns = ("worker", "state", "job", "type", "since", "heartbeat", "memory", "version")
    table = Table(columns, tuple(_cells(each, jobs, now) for each in found))
    lines = tuple(line for each in found if (line := _next(each)))
    sections = (Section(tables=(table,)), *((Section(lines=lines),) if lines else ()))
    return Report(data=[_data(each) for each in found], sections=sections)


def drain(
    ops: Ops, typed: str, reason: str, *, wait: bool = False, on_progress: OnProgress = ignore_progress
) -> Report:
    """Let a worker end its job and take no other; ``wait`` until it has none.

    Raises ``OpsError`` TB-0235 and TB-0229 for one that cannot be, TB-0609 when its job goes on after the timeout.
    """
    workers = look(ops)
    worker = _reached(workers, typed)
    with change(ops, "workers drain", worker.label, on_progress=on_progress, lease=False):
        ops.api.drain_worker(_name(worker), reason)
    lines = (
        _wait(ops, worker, on_progress) if wait else f"{worker.label} takes no more jobs.{_goes_on(worker.beat)}",
        f"Let it take jobs again: tradebot workers resume {worker.label}",
    )
    others = [each for each in workers if each is not worker and each.state in {"idle", "busy"}]
    warnings = () if others else ("No worker takes jobs now: those that are submitted wait.",)
    return Report(data=_orders(worker, drain=True), sections=(Section(lines=lines),), warnings=warnings)


def _goes_on(beat: Beat | None) -> str:
    return f" Its job goes on: tradebot jobs watch {beat['job_id']}" if beat and beat["job_id"] else ""


def _wait(ops: Ops, worker: Worker, on_progress: OnProgress) -> str:
    """Until its heartbeat shows that its last job is over; one that has ended has none either."""
    name, deadline = _name(worker), time.monotonic() + ops.settings.timeout
    while beat := next((each for each in ops.api.workers() if each["name"] == name), None):
        if beat["state"] == "drained":
            on_progress(ProgressEvent(worker.label, Phase.DONE))
            return f"{worker.label} is drained: it has no job and takes none."
        if time.monotonic() > deadline:
            message = f"{worker.label} is not drained after {ops.settings.timeout:g} s; it takes no more jobs."
            raise OpsError(
                message + _goes_on(beat), code="TB-0609", hint=f"tradebot workers drain {worker.label} --wait"
            )
        on_progress(ProgressEvent(worker.label, Phase.STARTING, f"job {beat['job_id'] or 'is being recorded'}"))
        time.sleep(POLL_S)
    return f"{worker.label} has ended, and has no job."


def resume(ops: Ops, typed: str, reason: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Let a worker take jobs again. Raises ``OpsError`` TB-0235 and TB-0229 for one that cannot be."""
    worker = _reached(look(ops), typed)
    with change(ops, "workers resume", worker.label, on_progress=on_progress, lease=False):
        ops.api.resume_worker(_name(worker), reason)
    line = f"{worker.label} takes jobs again." if worker.order else f"{worker.label} takes jobs, as before."
    return Report(data=_orders(worker, drain=False), sections=(Section(lines=(line,)),))


def look(ops: Ops) -> list[Worker]:
    """Replicas by number, then heartbeats that belong to none."""
    beats = {each["name"]: each for each in ops.api.workers()}
    found = []
    for replica in sorted(_replicas(ops), key=lambda each: each.number):
        beat = next((beats.pop(name) for name in worker_names(replica) if name in beats), None)
        found.append(Worker(replica, beat, state_of(replica, beat, ops.clock())))
    return found + [Worker(None, beat, "unknown") for beat in beats.values()]


def chosen(ops: Ops, typed: str) -> Replica:
    """The replica meant by ``worker-2``, ``2`` or the name in its heartbeat. Raises ``OpsError`` TB-0235."""
    return _chosen(_replicas(ops), typed)


def state_of(replica: Replica, beat: Beat | None, now: datetime) -> str:
    """The state in its heartbeat, unless the engine knows that it does not run; hung where it runs and is silent."""
    if replica.state is not State.RUNNING:
        return str(replica.state)
    if beat and beat["age_s"] <= SILENT_S:
        return str(beat["state"])
    young = replica.started_at is not None and now - replica.started_at < STARTING
    return "starting" if beat is None and young else "hung"


def _replicas(ops: Ops) -> list[Replica]:
    return [each for each in ops.engine.list() if each.service == WORKER]


def _chosen(replicas: Sequence[Replica], typed: str) -> Replica:
    for each in replicas:
        if typed in {str(each.number), *worker_names(each)}:
            return each
    message = f"There is no worker '{typed}'. {did_you_mean(typed, [each.label for each in replicas])}".rstrip()
    raise OpsError(message, code="TB-0235", hint="tradebot workers list")


def _reached(workers: Sequence[Worker], typed: str) -> Worker:
    """The worker that was named, which can hear an order."""
    replica = _chosen([each.replica for each in workers if each.replica], typed)
    worker = next(each for each in workers if each.replica is replica)
    if worker.beat is None:
        message = f"{worker.label} is {worker.state} and sends no heartbeat, so that no order reaches it."
        raise OpsError(message, code="TB-0229", hint=_next(worker).partition(": ")[2] or "tradebot workers list")
    return worker


def _name(worker: Worker) -> str:
    assert worker.beat is not None  # noqa: S101 - only those that are heard come here
    return str(worker.beat["name"])


def _cells(worker: Worker, jobs: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    beat = worker.beat
    if beat is None:
        return (worker.label, worker.state, *[""] * 6)
    job = beat["job_id"]
    return (
        worker.label,
        worker.state,
        jobs[job] if job else "",
        beat["job_type"] or "",
        ago(beat["job_since"], now) if beat["job_since"] else "",
        quantity(beat["age_s"], "s"),
        human_bytes(beat["memory_bytes"]),
        beat["version"],
    )


def _next(worker: Worker) -> str:
    """The fault, or the order, and what to type about it; empty where there is nothing to do."""
    label, order = worker.label, worker.order
    if worker.replica is None:
        return f"{label} is heard, and is no replica of this project: tradebot ls"
    if worker.state == "hung":
        return f"{label} runs and is silent, it hangs: tradebot workers kill {label}"
    if not worker.replica.state.alive:
        return f"{label} does not run: tradebot start {label}"
    if order:
        why = f" ({order['reason']})" if order["reason"] else ""
        return f"{label} takes no jobs, says {order['by']}{why}: tradebot workers resume {label}"
    return ""


def _data(worker: Worker) -> dict[str, Any]:
    beat = worker.beat or {}
    names = ("job_id", "job_type", "job_since", "age_s", "memory_bytes", "version", "order")
    return {"name": worker.label, "state": worker.state, "heard_as": beat.get("name")} | {
        name: beat.get(name) for name in names
    }


def _orders(worker: Worker, *, drain: bool) -> dict[str, Any]:
    return _data(worker) | {"drain": drain}
