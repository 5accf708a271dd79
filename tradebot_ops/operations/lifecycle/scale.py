"""Set the number of replicas of a service: add without touching the others, drain before removing."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.worker_names import worker_names
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge.drain import WORKER, Drain, promise
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.operations.converge.reload import answers_of
from tradebot_ops.operations.lifecycle import desired_workers
from tradebot_ops.operations.lifecycle.scale_history import remember
from tradebot_ops.operations.select import service_name
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.records import DesiredReplicas
from tradebot_ops.settings import MAX_REPLICAS
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.plan import Action, Step, plan
from tradebot_ops.text.labels import label

PARALLEL_DRAINS = 16
#: Of those that run, the newest: each worker runs one.
JOBS = MAX_REPLICAS
#: Workers in the order in which they leave; all others are between these.
_RANKS = {"drained": 0, "draining": 2, "busy": 2}


def scale(
    ops: Ops,
    typed: str,
    count: int,
    on_progress: OnProgress,
    *,
    drain: float | None = None,
    persist: bool = True,
    forced: str = "",
) -> Report:
    """Make exactly ``count`` replicas run and, with ``persist``, remember it for the next `up`.

    Leaving replicas get their stop signal and are removed once they have ended: within ``drain`` seconds for what
    they do, else within the service's grace period. A worker hands a job back that it cannot finish in time.
    Raises ``OpsError`` TB-0203 for a count, TB-0209 for a service that cannot be; and where some are to leave what
    ``open_positions.check_flat`` raises, unless it is ``forced`` for that reason.
    """
    service = _asked_for(ops, typed, count)
    draining = Drain(ops, drain)
    with change(ops, "scale", service.name, str(count), *open_positions.words(forced), on_progress=on_progress):
        found = _found(ops, service)
        if len(found) > count:
            open_positions.check_flat(ops, forced)
        if persist:
            ops.state.store(DesiredReplicas({**ops.desired_replicas, service.name: count}))
        remember(ops, service.name, len(found), count, kept=persist)
        with ThreadPoolExecutor(max_workers=1) as pool:
            publishing = pool.submit(desired_workers.publish, ops, count) if service.name == "worker" else None
            stack = with_replicas(ops.stack, service.name, count)
            leaving = leavers(found, count, _activity(ops, service, found, count), promise(service, drain))
            _let_go(draining, service, leaving, on_progress)
            added = _add(ops, stack, service.name, on_progress)
            warnings = publishing.result() if publishing else ()
    report = _report(service, count, len(found), leaving, [label(service.name, number) for number in added])
    return replace(report, warnings=(*warnings, *draining.warnings))


def reset(ops: Ops, typed: str, on_progress: OnProgress, *, drain: float | None = None, forced: str = "") -> Report:
    """Forget the number that was stored, and make as many replicas run as the files ask for; without any that run, the
    next `up` starts so many."""
    name = service_name(ops.stack, typed)
    if name not in ops.desired_replicas:
        line = f"No number is stored for {name}: {ops.stack.services[name].replicas} are as the files ask for."
        return Report(data={"service": name, "replicas": ops.stack.services[name].replicas}, sections=_lines(line))
    count = ops.stack.outranked.get(name, ops.stack.services[name].replicas)
    if any(found.service == name for found in ops.engine.list()):
        report = scale(ops, name, count, on_progress, drain=drain, persist=False, forced=forced)
    else:
        report = Report(data={"service": name, "replicas": count}, sections=_lines(f"The next `up` starts {count}."))
    with change(ops, "scale", name, "--reset", on_progress=on_progress):
        ops.state.store(DesiredReplicas({other: kept for other, kept in ops.desired_replicas.items() if other != name}))
    return replace(report, sections=(*report.sections, *_lines(f"The number that was stored for {name} is forgotten.")))


def _lines(*lines: str) -> tuple[Section, ...]:
    return (Section(lines=lines),)


def explain(ops: Ops, typed: str, count: int, *, drain: float | None = None) -> Report:
    """Who would leave and why, and who would come. Changes nothing; raises what ``scale`` raises."""
    service = _asked_for(ops, typed, count)
    found = _found(ops, service)
    leaving = leavers(found, count, _activity(ops, service, found, count), promise(service, drain))
    staying = [replica for replica in found if replica not in [gone for gone, _ in leaving]]
    steps = _missing(with_replicas(ops.stack, service.name, count), staying, service.name)
    coming = [step.label for step in steps]
    return _report(service, count, len(found), leaving, coming, only_explained=True)


def _asked_for(ops: Ops, typed: str, count: int) -> Service:
    service = ops.stack.services[service_name(ops.stack, typed)]
    _check(service, count)
    return service


def _found(ops: Ops, service: Service) -> list[Replica]:
    everything = ops.engine.list()
    if not everything:
        raise OpsError("Nothing runs, so there is nothing to scale.", code="TB-0108", hint="tradebot up")
    return [replica for replica in everything if replica.service == service.name]


def with_replicas(stack: Stack, name: str, count: int) -> Stack:
    changed = replace(stack.services[name], replicas=count)
    return replace(stack, services={**stack.services, name: changed})


def _check(service: Service, count: int) -> None:
    if not service.scalable and count != 1:
        raise OpsError(
            f"{service.name} cannot be scaled: the stack knows it as a single replica.",
            code="TB-0209",
            hint="tradebot scale workers 4",
        )
    if not 0 <= count <= MAX_REPLICAS:
        raise OpsError(
            f"{count} is not a number of replicas; it must be from 0 to {MAX_REPLICAS}.",
            code="TB-0203",
            hint="tradebot scale workers 4",
        )


def leavers(found: Sequence[Replica], count: int, activity: Mapping[int, str], job: str) -> list[tuple[Replica, str]]:
    """Who leaves when ``count`` are to stay, and why: drained ones first, then idle ones, newest first among equals.

    ``activity`` is what the heartbeats say, by replica number; replica 1, which alone publishes its port, is
    the last to leave. ``job`` says what becomes of the job of a busy one.
    """
    ordered = sorted(
        found,
        key=lambda replica: (
            replica.number == 1,
            _RANKS.get(activity.get(replica.number, ""), 1),
            -replica.number,
        ),
    )
    whys = {
        "": "its heartbeat is unknown",
        "busy": f"busy; {job}",
        "draining": f"draining; {job}",
        "drained": "drained",
    }
    return [
        (replica, whys.get(activity.get(replica.number, ""), "idle"))
        for replica in ordered[: max(0, len(found) - count)]
    ]


def _activity(ops: Ops, service: Service, found: Sequence[Replica], count: int) -> dict[int, str]:
    """Activity of each replica, by its heartbeat; empty when it is unknown (then the newest leave).

    A heartbeat is up to a second old: whose job began after it is busy by the ledger.
    """
    if service.name != WORKER or len(found) <= count:
        return {}
    try:
        beats = {beat["name"]: beat["state"] for beat in ops.api.workers()}
    except OpsError:
        return {}
    if "idle" in beats.values():
        running = _running(ops)
        beats |= {name: "busy" for name, state in beats.items() if state == "idle" and name in running}
    return {replica.number: beats[name] for replica in found for name in worker_names(replica) if name in beats}


def _running(ops: Ops) -> set[str]:
    """Names of the workers whose jobs run; none while the ledger cannot be read (then heartbeats decide alone)."""
    try:
        return {job["worker"] for job in ops.api.jobs("running", None, JOBS)["jobs"]}
    except OpsError:
        return set()


def _let_go(draining: Drain, service: Service, leaving: Sequence[tuple[Replica, str]], on_progress: OnProgress) -> None:
    usual = service.stop_grace if service.name == WORKER or draining.seconds is None else draining.seconds

    def leave(replica: Replica, why: str) -> None:
        on_progress(ProgressEvent(service.name, Phase.STOPPING, f"{replica.label}: {why}"))
        draining.stop(replica, usual)
        draining.ops.engine.remove(replica)
        on_progress(ProgressEvent(service.name, Phase.REMOVED, replica.label))

    with ThreadPoolExecutor(max_workers=PARALLEL_DRAINS) as pool:
        list(pool.map(lambda pair: leave(*pair), leaving))


def _missing(stack: Stack, found: Sequence[Replica], name: str) -> list[Step]:
    """Steps that bring the service to the number of replicas that this stack describes."""
    return [
        step
        for step in plan(stack, found, services=[name]).steps
        if step.service == name and step.action in {Action.CREATE, Action.START}
    ]


def _add(ops: Ops, stack: Stack, name: str, on_progress: OnProgress) -> list[int]:
    steps = _missing(stack, ops.engine.list(), name)
    if steps:
        ops.engine.prepare(stack, lambda service, line: on_progress(ProgressEvent(service, Phase.PREPARING, line)))
        converge(stack, steps, EngineView(ops.engine, ops.settings.timeout), answers_of(ops), on_progress).check()
    return [step.number for step in steps]


def _report(
    service: Service,
    count: int,
    before: int,
    leaving: Sequence[tuple[Replica, str]],
    added: Sequence[str],
    *,
    only_explained: bool = False,
) -> Report:
    removed = [{"name": replica.label, "why": why} for replica, why in leaving]
    would = "would be " if only_explained else ""
    lines = [f"{service.name}: {before} -> {count}." + (" Nothing was changed." if only_explained else "")]
    lines += [f"  {would}removed {one['name']} ({one['why']})" for one in removed]
    lines += [f"  {would}added {name}" for name in added]
    data = {
        "service": service.name,
        "before": before,
        "replicas": count,
        "added": list(added),
        "removed": removed,
        "changed": not only_explained,
    }
    return Report(data=data, sections=(Section(lines=tuple(lines)),))


def parse_reset(service: str, count: str | None) -> str:
    """The service of ``--reset``, which takes no number. Raises ``OpsError`` TB-0203."""
    if count is not None or "=" in service.removeprefix("service="):
        raise OpsError("--reset takes no number.", code="TB-0203", hint="tradebot scale workers --reset")
    return service


def parse(service: str, count: str | None) -> tuple[str, int]:
    """``workers 6`` or the brief's ``workers=6``. Raises ``OpsError`` TB-0203 for anything else."""
    name, equals, tail = service.partition("=")
    text = tail if equals and count is None else count
    try:
        return name, int(text or "")
    except ValueError:
        raise OpsError(
            f"'{text or ''}' is not a number of replicas.", code="TB-0203", hint="tradebot scale workers 6"
        ) from None
