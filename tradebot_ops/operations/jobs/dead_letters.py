"""Dead letters, jobs that were given up: by what they failed with, one by one, and queued once more."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.jobs import whole_id
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.quantities import ago, human_bytes
from tradebot_ops.text.sentences import agreed

PAGE = 200
NONE = "No job is dead."


def summary(ops: Ops) -> Report:
    """Groups of dead jobs that failed alike, the largest first."""
    groups, now = ops.api.dead_groups(), ops.clock()
    rows = tuple(
        (
            group["fingerprint"],
            str(group["jobs"]),
            group["type"],
            ago(group["last_at"], now),
            group["fault"],
            "yes" if group["quarantined"] else "",
            f"{group['error_type']}: {group['message']}",
        )
        for group in groups
    )
    if not rows:
        return Report(data=groups, sections=(Section(lines=(NONE,)),))
    return Report(
        data=groups,
        sections=(
            Section(tables=(Table(("group", "jobs", "type", "last", "fault", "set aside", "error"), rows),)),
            Section(
                lines=(
                    "Look at one of a group: tradebot dlq list --group GROUP",
                    "Replay a group once its cause is gone: tradebot dlq replay --group GROUP",
                )
            ),
        ),
    )


def list_dead(ops: Ops, group: str | None, job_type: str | None, limit: int) -> Report:
    """Dead jobs, most recently submitted first."""
    page, now = ops.api.jobs("dead", job_type, limit, fingerprint=group), ops.clock()
    rows = tuple(
        (
            job["id"],
            job["type"],
            ago(job["finished_at"], now),
            f"{job['attempt']}/{job['max_attempts']}",
            job["error"]["fault"],
            job["error"]["fingerprint"],
            job["worker"] or "",
            human_bytes(job["peak_memory_bytes"]) if job["peak_memory_bytes"] else "",
            job["error"]["message"],
        )
        for job in page["jobs"]
    )
    if not rows:
        return Report(data=page, sections=(Section(lines=(NONE,)),))
    columns = ("job", "type", "died", "attempt", "fault", "group", "worker", "peak", "error")
    following = [f"There are more: tradebot dlq list --limit {2 * limit}"] if page["next"] else []
    following.append("See why one died: tradebot dlq show ID")
    return Report(data=page, sections=(Section(tables=(Table(columns, rows),)), Section(lines=tuple(following))))


def replay(
    ops: Ops,
    jobs: list[str],
    *,
    group: str | None = None,
    every: bool = False,
    again: bool = False,
    rate: float = 10.0,
    dry_run: bool = False,
    on_progress: OnProgress = ignore_progress,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Queue these dead jobs once more, at most ``rate`` a second.

    One that died after a replay is left out unless ``again``: so a replay that was interrupted is finished by typing it
    again, and no job runs twice for it. Raises ``OpsError`` TB-0290 unless jobs, a group or all of them are named.
    """
    named(jobs, group, every, "replay")
    jobs = [whole_id(ops, job) for job in jobs]
    wanted = [(job, 0) for job in jobs] or [(job["id"], job["replays"]) for job in dead_jobs(ops, group)]
    left = [job for job, replays in wanted if replays and not again]
    chosen = [job for job, replays in wanted if again or not replays]
    if dry_run:
        return _report(chosen, left, agreed(f"{len(chosen)} jobs would be queued again; nothing was done."))
    done: list[str] = []
    with change(ops, "dlq replay", group or " ".join(jobs) or "all", on_progress=on_progress, lease=False):
        for number, job in enumerate(chosen):
            if number:
                sleep(1 / rate)
            (left if ops.api.replay(job, again=again) is None else done).append(job)
            on_progress(ProgressEvent("replay", Phase.STARTING, f"{number + 1} of {len(chosen)}"))
        on_progress(ProgressEvent("replay", Phase.DONE, f"{len(done)} of {len(chosen)}"))
    return _report(done, left, agreed(f"{len(done)} jobs were queued again."))


def purge(
    ops: Ops,
    jobs: list[str],
    *,
    group: str | None = None,
    every: bool = False,
    confirm: Callable[[str], None],
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Remove these dead jobs with all that is known of them. Raises ``OpsError`` TB-0290 as ``replay`` does."""
    named(jobs, group, every, "purge")
    chosen = [whole_id(ops, job) for job in jobs] or [job["id"] for job in dead_jobs(ops, group)]
    confirm(agreed(f"{len(chosen)} jobs will be removed for good."))
    with change(ops, "dlq purge", group or " ".join(jobs) or "all", on_progress=on_progress, lease=False):
        for job in chosen:
            ops.api.remove_dead(job)
    return Report(data={"removed": chosen}, sections=(Section(lines=(agreed(f"{len(chosen)} jobs were removed."),)),))


def quarantine(ops: Ops, name: str, reason: str, *, lift: bool, on_progress: OnProgress = ignore_progress) -> Report:
    """Set a group or a type aside, or take it back: what is set aside counts nowhere, and ``--all`` leaves it out.

    Raises ``OpsError`` TB-0292 for what is to be taken back and was not set aside.
    """
    with change(ops, "dlq quarantine", name, on_progress=on_progress, lease=False):
        if not lift:
            made = ops.api.quarantine(name, reason)
        elif ops.api.lift_quarantine(name):
            made = {"name": name, "lifted": True}
        else:
            raise OpsError(f"{name} is not in quarantine.", code="TB-0292", hint="tradebot dlq summary")
    sentence = (
        f"{name} is in quarantine no more: its dead jobs count again."
        if lift
        else f"{name} is in quarantine: its dead jobs count in no queue length, and --all leaves them out."
    )
    after = () if lift else (f"Take it back: tradebot dlq quarantine {name} --lift",)
    return Report(data=made, sections=(Section(lines=(sentence, *after)),))


def named(jobs: list[str], group: str | None, every: bool, verb: str) -> None:
    if sum((bool(jobs), group is not None, every)) != 1:
        raise OpsError(
            f"Say which dead jobs to {verb}: their ids, one group, or all of them.",
            code="TB-0290",
            hint="tradebot dlq summary; then an id, --group GROUP or --all",
        )


def _report(jobs: list[str], left: list[str], sentence: str) -> Report:
    lines = [agreed(sentence)]
    if left:
        why = agreed(f"{len(left)} jobs were left out: dead again after a replay, or dead no more.")
        lines.append(f"{agreed(why)} To take those that died again, too: --again")
    return Report(data={"replayed": jobs, "left_out": left}, sections=(Section(lines=tuple(lines)),))


def dead_jobs(ops: Ops, group: str | None, *, traceback: bool | None = None) -> Iterator[dict[str, Any]]:
    """Every dead job of the group, also where it is in quarantine; or all that are not."""
    aside = set() if group is not None else {each["name"] for each in ops.api.quarantined()}
    cursor = None
    while True:
        page: dict[str, Any] = ops.api.jobs("dead", None, PAGE, cursor, fingerprint=group, traceback=traceback)
        yield from (job for job in page["jobs"] if not aside & {job["type"], job["error"]["fingerprint"]})
        cursor = page["next"]
        if cursor is None:
            return
