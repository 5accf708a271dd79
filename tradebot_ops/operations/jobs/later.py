"""Jobs for later, through the API: once at a time, or again and again on a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tradebot_ops import units
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs import jobs, notify
from tradebot_ops.operations.jobs.jobs import Watcher
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.quantities import age
from tradebot_ops.text.suggest import did_you_mean

NONE = 'No schedule yet. Make one: tradebot jobs submit canary --every "0 * * * *" --name hourly'
HINT = '--at 18:30, --at 90m, --at 2026-11-28T09:30, or --every "30 6 * * 1-5"'


@dataclass(frozen=True)
class Wishes:
    """``at`` a time, ``every`` time of a cron expression as the schedule ``name``, or now; both in ``zone``.

    ``notify`` people of its ``end``, or only when it is ``dead``; with ``every``, of each of its jobs.
    """

    at: str | None = None
    every: str | None = None
    zone: str = "UTC"
    name: str | None = None
    notify: str | None = None


def submit(
    ops: Ops,
    job_type: str,
    pairs: Sequence[str],
    wishes: Wishes,
    *,
    wait: bool,
    watch: Watcher = ignore_progress,
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Submit a job now, or for later. Raises ``OpsError`` TB-0244 for what does not go together."""
    given = (("--at", wishes.at), ("--every", wishes.every), ("--wait", wait or None))
    asked = [name for name, value in given if value]
    if len(asked) > 1:
        raise OpsError(f"{' and '.join(asked)} do not go together.", code="TB-0244", hint=HINT)
    notify.check(wishes.notify)
    if wishes.every:
        report = _schedule(ops, job_type, pairs, wishes, on_progress)
    elif wishes.at:
        due = moment(wishes.at, wishes.zone, ops.clock())
        report = _submit_at(ops, job_type, pairs, due, wishes.notify, on_progress)
    else:
        report = jobs.submit(
            ops, job_type, pairs, notify=wishes.notify, wait=wait, watch=watch, on_progress=on_progress
        )
    return replace(report, warnings=(*report.warnings, *(notify.doubts(ops) if wishes.notify else ())))


def moment(text: str, zone: str, now: datetime) -> datetime:
    """``18:30`` is the next such time in the zone, ``90m`` from now, else an ISO time, in the zone unless it has one.

    Raises ``OpsError`` TB-0244 for what is no time to come.
    """
    local = now.astimezone(_zone(zone))
    try:
        at = _from_now(text, now) or _of_day(text, local) or datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise OpsError(f"'{text}' is not a time.", code="TB-0244", hint=HINT) from None
    at = at if at.tzinfo else at.replace(tzinfo=local.tzinfo)
    if at <= now:
        raise OpsError(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC is past.", code="TB-0244", hint=HINT)
    return at.astimezone(UTC)


def _from_now(text: str, now: datetime) -> datetime | None:
    try:
        return now + timedelta(seconds=units.seconds(text, units.TYPED))
    except ValueError:
        return None


def _of_day(text: str, local: datetime) -> datetime | None:
    """Today, or tomorrow where that is past."""
    if ":" not in text or "-" in text:
        return None
    today = datetime.combine(local.date(), time.fromisoformat(text), local.tzinfo)
    return today if today > local else today + timedelta(days=1)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise OpsError(
            f"'{name}' is not a time zone.", code="TB-0244", hint="--zone Europe/Zurich, --zone America/New_York"
        ) from None


def _submit_at(
    ops: Ops, job_type: str, pairs: Sequence[str], due: datetime, wish: str | None, on_progress: OnProgress
) -> Report:
    payload = jobs.payload_of(pairs)
    with change(ops, "jobs submit", job_type, on_progress=on_progress, lease=False):
        job = ops.api.submit(job_type, payload, not_before=due.isoformat(), notify=wish)
    line = f"Job {job['id']} starts at {_shown(job['not_before'])}, in {_until(job['not_before'], ops.clock())}."
    return Report(data=job, sections=(Section(lines=(line,)),))


def _schedule(ops: Ops, job_type: str, pairs: Sequence[str], when: Wishes, on_progress: OnProgress) -> Report:
    """Make or replace a schedule, named after its type unless it has a name."""
    payload = jobs.payload_of(pairs)
    with change(ops, "jobs submit", job_type, on_progress=on_progress, lease=False):
        made = ops.api.put_schedule(
            when.name or job_type, type=job_type, payload=payload, cron=when.every, zone=when.zone, notify=when.notify
        )
    return Report(data=made, sections=(Section(lines=(_next(made, ops.clock()),)),))


def schedules(ops: Ops) -> Report:
    """Every schedule: when it comes next, when it came last, and how often it was missed."""
    found = ops.api.schedules()
    if not found:
        return Report(data=found, sections=(Section(lines=(NONE,)),))
    rows = tuple(
        (
            each["name"],
            each["type"],
            each["cron"],
            each["zone"],
            "paused" if each["paused"] else _shown(each["next_at"]),
            _shown(each["last_at"]),
            (each["last_job"] or "")[:8],
            str(each["missed"] or ""),
            each["notify"] or "",
            each["by"],
        )
        for each in found
    )
    columns = ("schedule", "type", "cron", "zone", "next", "last", "last job", "missed", "news of", "by")
    return Report(data=found, sections=(Section(tables=(Table(columns, rows),)),))


def pause(ops: Ops, name: str, *, paused: bool, on_progress: OnProgress = ignore_progress) -> Report:
    """Make no more jobs, or go on with the next time from now. Raises ``OpsError`` TB-0243 for an unknown name."""
    _known(ops, name)
    with change(ops, f"schedules {'pause' if paused else 'resume'}", name, on_progress=on_progress, lease=False):
        changed = ops.api.pause_schedule(name, paused=paused)
    line = f"The schedule {name} is paused: it makes no jobs." if paused else _next(changed, ops.clock())
    return Report(data=changed, sections=(Section(lines=(line,)),))


def remove(ops: Ops, name: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Remove a schedule; the jobs that it made stay. Raises ``OpsError`` TB-0243 for an unknown name."""
    _known(ops, name)
    with change(ops, "schedules remove", name, on_progress=on_progress, lease=False):
        ops.api.remove_schedule(name)
    line = f"The schedule {name} is removed; the jobs that it made stay."
    return Report(data={"name": name}, sections=(Section(lines=(line,)),))


def _known(ops: Ops, name: str) -> None:
    names = [each["name"] for each in ops.api.schedules()]
    if name not in names:
        raise OpsError(
            f"There is no schedule '{name}'. {did_you_mean(name, names)}".rstrip(),
            code="TB-0243",
            hint="tradebot schedules list",
        )


def _next(made: dict[str, Any], now: datetime) -> str:
    if made["next_at"] is None:
        return f"The schedule {made['name']} has no further time."
    comes = f"{_shown(made['next_at'])}, in {_until(made['next_at'], now)}"
    return f"The schedule {made['name']} submits {made['type']} next at {comes}."


def _shown(at: str | None) -> str:
    return "" if at is None else f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _until(at: str, now: datetime) -> str:
    return age(max(datetime.fromisoformat(at) - now, timedelta(0)))
