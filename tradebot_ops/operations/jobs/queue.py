"""Types of jobs as queues, through the API: what waits of each; paused, limited, drained, purged."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.types import unknown_type
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.quantities import ago
from tradebot_ops.text.sentences import agreed

POLL_S = 0.5
COLUMNS = ("type", "waiting", "oldest", "running", "retrying", "scheduled", "dead", "state")

Queue = dict[str, Any]


def status(ops: Ops) -> Report:
    """Every type: what waits and since when, what runs, and what was set for it, by whom and why."""
    found, now = ops.api.queues(), ops.clock()
    rows = tuple(
        (
            each["type"],
            str(each["waiting"]),
            ago(each["oldest_at"], now) if each["oldest_at"] else "",
            _running(each),
            *(str(each[name]) for name in ("retrying", "scheduled", "dead")),
            _state(each),
        )
        for each in found
    )
    lines = tuple(_why(each, now) for each in found if each["by"])
    sections = (Section(tables=(Table(COLUMNS, rows),)), *([Section(lines=lines)] if lines else []))
    return Report(data=found, sections=sections)


def _running(queue: Queue) -> str:
    most = queue["max_running"]
    return f"{queue['running']} of {most}" if most else str(queue["running"])


def _state(queue: Queue) -> str:
    words = [word for word in ("paused", "closed") if queue[word]]
    return ", ".join(words) or "open"


def _why(queue: Queue, now: datetime) -> str:
    """The operator's rule, and how it is taken back."""
    set_to = [word for word in ("paused", "closed") if queue[word]]
    set_to += [f"limited to {queue['max_running']}"] if queue["max_running"] else []
    back = (
        f"queue resume {queue['type']}" if queue["paused"] or queue["closed"] else f"queue limit {queue['type']} none"
    )
    reason = f": {queue['reason']}" if queue["reason"] else ""
    return (
        f"{queue['type']} {' and '.join(set_to)} by {queue['by']} {ago(queue['at'], now)} ago{reason}. tradebot {back}"
    )


def pause(ops: Ops, job_type: str, reason: str, on_progress: OnProgress = ignore_progress) -> Report:
    """No job of the type starts; what runs goes on. Raises ``OpsError`` TB-0226 as all of these do."""
    found = _change(ops, "pause", job_type, on_progress, paused=True, reason=reason)
    running = agreed(f" {found['running']} jobs still run.") if found["running"] else ""
    return _sentence(found, f"{job_type} is paused: no job of it starts.{running}")


def resume(ops: Ops, job_type: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Take a pause or a drain back."""
    found = _change(ops, "resume", job_type, on_progress, paused=False, closed=False)
    return _sentence(found, f"{job_type} takes jobs and starts them.")


def limit(ops: Ops, job_type: str, most: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Let at most so many of its jobs run; ``none`` is the type's own limit, if it has one. Raises TB-0245."""
    if most != "none" and not (most.isascii() and most.isdigit() and 1 <= int(most) <= 10_000):
        raise OpsError(
            f"'{most}' is not a number of jobs.",
            code="TB-0245",
            hint=f"tradebot queue limit {job_type} 2, or none; to let none run: tradebot queue pause {job_type}",
        )
    found = _change(ops, "limit", job_type, on_progress, max_running=None if most == "none" else int(most))
    if most == "none":
        return _sentence(found, f"{job_type} has no limit of yours any more.")
    return _sentence(found, f"Of {job_type} no more than {most} at a time run from now on; {found['running']} run now.")


def drain(ops: Ops, job_type: str, reason: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Close the type for new jobs and wait until none of it waits or runs.

    Raises ``OpsError`` TB-0608 when that takes longer than the timeout (it stays closed), TB-0909 for a paused type.
    """
    queue = _known(ops, job_type)
    if queue["paused"]:
        raise OpsError(
            f"{job_type} is paused, so that its jobs never end.",
            code="TB-0909",
            hint=f"tradebot queue resume {job_type}",
        )
    deadline = time.monotonic() + ops.settings.timeout
    queue = _change(ops, "drain", job_type, on_progress, closed=True, reason=reason)
    while left := queue["waiting"] + queue["retrying"] + queue["running"]:
        on_progress(ProgressEvent(job_type, Phase.STARTING, agreed(f"{left} jobs left")))
        if time.monotonic() > deadline:
            raise OpsError(
                agreed(f"{left} jobs of {job_type} are not over after {ops.settings.timeout:g} s; it stays closed."),
                code="TB-0608",
                hint=f"tradebot queue drain {job_type}, tradebot queue purge {job_type}, or take it back: "
                f"tradebot queue resume {job_type}",
            )
        time.sleep(POLL_S)
        queue = _known(ops, job_type)
    on_progress(ProgressEvent(job_type, Phase.DONE))
    later = agreed(f" {queue['scheduled']} jobs wait for a later time.") if queue["scheduled"] else ""
    return _sentence(
        queue, f"{job_type} is drained and takes no new jobs.{later} Open it again: tradebot queue resume {job_type}"
    )


def purge(
    ops: Ops,
    job_type: str,
    reason: str,
    *,
    dry_run: bool,
    confirm: Callable[[str], None],
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Cancel every job of the type that waits, a batch at a time; what runs goes on."""
    queue = _known(ops, job_type)
    waiting = queue["waiting"] + queue["retrying"] + queue["scheduled"]
    if dry_run or not waiting:
        sentence = agreed(f"{waiting} jobs of {job_type} would be cancelled; nothing was done.")
        return _sentence({"jobs": waiting, "cancelled": 0}, sentence)
    confirm(agreed(f"{waiting} jobs of {job_type} will be cancelled."))
    cancelled, complete = 0, False
    with change(ops, "queue purge", job_type, on_progress=on_progress, lease=False):
        while not complete:
            batch = ops.api.purge_queue(job_type, reason)
            cancelled, complete = cancelled + batch["jobs"], batch["complete"]
            on_progress(ProgressEvent(job_type, Phase.STARTING, f"{cancelled} of {max(waiting, cancelled)}"))
        on_progress(ProgressEvent(job_type, Phase.DONE, f"{cancelled}"))
    return _sentence(
        {"jobs": waiting, "cancelled": cancelled}, agreed(f"{cancelled} jobs of {job_type} were cancelled.")
    )


def _change(ops: Ops, verb: str, job_type: str, on_progress: OnProgress, **changes: Any) -> Queue:
    _known(ops, job_type)
    with change(ops, f"queue {verb}", job_type, on_progress=on_progress, lease=False):
        return ops.api.change_queue(job_type, **changes)


def _known(ops: Ops, job_type: str) -> Queue:
    found = {each["type"]: each for each in ops.api.queues()}
    if job_type not in found:
        raise unknown_type(job_type, sorted(found))
    return found[job_type]


def _sentence(data: Any, sentence: str) -> Report:
    return Report(data=data, sections=(Section(lines=(sentence,)),))
