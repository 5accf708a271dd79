"""Jobs in bulk: figures of each type, jobs of vanished workers, and those that are to be forgotten."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogQuery
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.jobs import whole_id
from tradebot_ops.operations.logs import Entry, entries, seconds_ago
from tradebot_ops.operations.select import chosen_replicas
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.quantities import human_bytes, quantity
from tradebot_ops.text.sentences import agreed

#: What is pruned unless an operator asks for the dead as well.
DONE = ("succeeded", "cancelled")
#: Services that write the ids of jobs into their logs.
LOGGING = ("api", "worker")
#: Clocks of a log and of the database may differ by so much.
EARLIER = timedelta(minutes=1)


def stats(ops: Ops, job_type: str | None, window: str) -> Report:
    """Figures of each type, of jobs that ended within the window. Raises ``OpsError`` TB-0204 for what is no time."""
    data = ops.api.job_stats(job_type, seconds_ago(window, ops.clock()))
    rows = tuple(
        (
            each["type"],
            str(each["jobs"]),
            f"{100 * each['dead'] / each['jobs']:.1f} %",
            quantity(each["took_median_s"], "s"),
            quantity(each["took_p95_s"], "s"),
            quantity(each["waited_median_s"], "s"),
            quantity(each["waited_p95_s"], "s"),
            human_bytes(each["peak_memory_bytes"]) if each["peak_memory_bytes"] else "",
        )
        for each in data["types"]
    )
    if not rows:
        return Report(data=data, sections=(Section(lines=(f"No job has ended since {window}.",)),))
    columns = ("type", "ended", "dead", "took", "took p95", "waited", "waited p95", "peak memory")
    lines = (
        () if data["complete"] else ("There were more jobs; these are the ones that ended last. Ask for less time.",)
    )
    return Report(data=data, sections=(Section(tables=(Table(columns, rows),), lines=lines),))


def recover(ops: Ops, on_progress: OnProgress = ignore_progress) -> Report:
    """Give running jobs whose workers have vanished to others at once, instead of at the end of their leases."""
    with change(ops, "jobs recover", on_progress=on_progress, lease=False):
        jobs = ops.api.recover()
    if not jobs:
        return Report(data=jobs, sections=(Section(lines=("Every running job has its worker; nothing was done.",)),))
    rows = tuple((job["id"], job["type"], job["worker"]) for job in jobs)
    sentence = agreed(f"{len(jobs)} jobs were given to other workers.")
    return Report(
        data=jobs, sections=(Section(tables=(Table(("job", "type", "lost worker"), rows),)), Section(lines=(sentence,)))
    )


def prune(
    ops: Ops,
    older_than: str,
    states: Sequence[str],
    *,
    dry_run: bool,
    confirm: Callable[[str], None],
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Remove jobs that ended so long ago with all that is known of them, a batch at a time.

    Raises ``OpsError`` TB-0204 for what is no time.
    """
    states, age = tuple(states) or DONE, seconds_ago(older_than, ops.clock())
    found = ops.api.prunable(age, states)
    if dry_run or not found:
        sentence = agreed(f"{found} jobs would be removed; nothing was done.")
        return Report(data={"jobs": found, "removed": 0}, sections=(Section(lines=(sentence,)),))
    confirm(agreed(f"{found} jobs will be removed for good."))
    removed, more = 0, True
    with change(ops, "jobs prune", older_than, *states, on_progress=on_progress, lease=False):
        while more:
            batch = ops.api.prune(age, states)
            removed, more = removed + batch["jobs"], batch["more"]
            on_progress(ProgressEvent("prune", Phase.STARTING, f"{removed} of {max(found, removed)}"))
        on_progress(ProgressEvent("prune", Phase.DONE, f"{removed}"))
    sentence = agreed(f"{removed} jobs were removed.")
    return Report(data={"jobs": found, "removed": removed}, sections=(Section(lines=(sentence,)),))


def logged(ops: Ops, typed: str, level: str | None = None) -> Iterator[Entry]:
    """Lines of the services' logs that name the job, since it was submitted. Raises ``OpsError`` TB-0105 for no job."""
    job: dict[str, Any] = ops.api.job(whole_id(ops, typed))
    chosen = chosen_replicas(ops.stack, [name for name in LOGGING if name in ops.stack.services])
    return entries(
        ops, chosen, LogQuery(since=datetime.fromisoformat(job["submitted_at"]) - EARLIER), level, grep=job["id"]
    )
