"""End one worker, at once or after its job, and start it again through the engine."""

from collections.abc import Callable, Iterable
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.worker_names import worker_names
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge.drain import Drain, promise
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.operations.converge.reload import answers_of
from tradebot_ops.operations.jobs.workers import chosen
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.stack.plan import Action, Step


def kill(ops: Ops, typed: str, reason: str, confirm: Callable[[str], None], on_progress: OnProgress) -> Report:
    """End a worker now, give its job to another one, and start it again. Works on one that hangs.

    The history of the job names the ``reason``. Raises ``OpsError`` TB-0235 for none of that name.
    """
    replica = chosen(ops, typed)
    confirm(f"{replica.label} will be killed; a job that it runs begins anew elsewhere.")
    warnings: list[str] = []
    with change(ops, "workers kill", replica.label, on_progress=on_progress):
        on_progress(ProgressEvent(replica.service, Phase.STOPPING, replica.label))
        ops.engine.stop(replica, 0)
        jobs = _hand_over(ops, worker_names(replica), reason, warnings)
        _start(ops, replica, on_progress)
    lines = [f"{replica.label} was killed, and runs again."]
    lines += [f"Its job was given to another worker: tradebot jobs watch {job['id']}" for job in jobs]
    return Report(
        data={"worker": replica.label, "jobs": [job["id"] for job in jobs]},
        sections=(Section(lines=tuple(lines)),),
        warnings=tuple(warnings),
    )


def restart(ops: Ops, typed: str, on_progress: OnProgress, *, drain: float | None = None) -> Report:
    """Let a worker end its job, within ``drain`` seconds or its usual time, and start it again.

    Raises ``OpsError`` TB-0235 for none of that name.
    """
    replica = chosen(ops, typed)
    service, draining = ops.stack.services[replica.service], Drain(ops, drain)
    with change(ops, "workers restart", replica.label, on_progress=on_progress):
        on_progress(ProgressEvent(service.name, Phase.STOPPING, f"{replica.label}: {promise(service, drain)}"))
        draining.stop(replica, service.stop_grace)
        _start(ops, replica, on_progress)
    line = f"{replica.label} was restarted."
    return Report(data={"worker": replica.label}, sections=(Section(lines=(line,)),), warnings=tuple(draining.warnings))


def _hand_over(ops: Ops, names: Iterable[str], reason: str, warnings: list[str]) -> list[dict[str, Any]]:
    """Of a worker that hangs no heartbeat shows the name that it uses. Without the API the worker does so itself, as
    soon as it runs again."""
    try:
        return [job for name in dict.fromkeys(names) for job in ops.api.hand_over(name, reason)]
    except OpsError as error:
        warnings.append(f"Its job waits until the worker runs again: {error.message}")
        return []


def _start(ops: Ops, replica: Replica, on_progress: OnProgress) -> None:
    steps = [Step(Action.START, replica.service, replica.number, "asked for")]
    converge(ops.stack, steps, EngineView(ops.engine, ops.settings.timeout), answers_of(ops), on_progress).check()
