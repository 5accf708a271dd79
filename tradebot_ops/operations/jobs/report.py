"""Jobs for people: one that was followed, one in full, and a list of them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.trade import sweeps, walks
from tradebot_ops.text.beginnings import short
from tradebot_ops.text.figures import shown
from tradebot_ops.text.quantities import ago, human_bytes
from tradebot_ops.text.sentences import ended

Job = dict[str, Any]

_FIRST = "No jobs yet. Submit one: tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30"


def followed(job: Job) -> Report:
    """A job after its end: its parameters and its result, and a failure unless it succeeded."""
    findings: tuple[Finding, ...] = ()
    if error := job.get("error"):
        message = f"The job ended as {job['state']}: {ended(error['message'])}"
        findings = (Finding(Level.FAIL, f"job.{error['type']}", message, hint=f"tradebot jobs show {job['id']}"),)
    if job["state"] == "cancelled":
        findings = (Finding(Level.FAIL, "job.cancelled", "The job was cancelled."),)
    return Report(data=job, sections=(_head(job), *_result(job), *_picture(job)), findings=findings)


def in_full(job: Job, *, pictures: bool = True) -> Report:
    """A job as it stands, with its times, why it failed, what happened to it and its result: reading it never fails."""
    drawn = _picture(job) if pictures else ()
    return Report(data=job, sections=(_head(job), *_error(job), *_events(job), *_result(job), *drawn))


def listed(page: dict[str, Any], state: str | None, job_type: str | None, limit: int, now: datetime) -> Report:
    """Jobs with ids as long as it takes to name them, and below them the errors of those that have one."""
    jobs: Sequence[Job] = page["jobs"]
    if not jobs:
        return Report(data=page, sections=(Section(lines=(_nothing(state, job_type),)),))
    ids = short([job["id"] for job in jobs])
    rows = tuple(
        (
            ids[job["id"]],
            job["type"],
            job["state"],
            _percent(job),
            f"{job['attempt']}/{job['max_attempts']}",
            ago(job["submitted_at"], now),
            job["worker"] or "",
        )
        for job in jobs
    )
    sections = [Section(tables=(Table(("job", "type", "state", "progress", "attempt", "age", "worker"), rows),))]
    wrong = tuple((ids[job["id"]], " ".join(job["error"]["message"].split())) for job in jobs if job["error"])
    if wrong:
        sections.append(Section(tables=(Table(("job", "error"), wrong),)))
    if page["next"]:
        sections.append(Section(lines=(f"There are more: tradebot jobs list --limit {min(2 * limit, 200)}",)))
    return Report(data=page, sections=tuple(sections))


def _nothing(state: str | None, job_type: str | None) -> str:
    if state is None and job_type is None:
        return _FIRST
    return f"No job{f' of type {job_type}' if job_type else ''} is {state or 'known'}."


def _head(job: Job) -> Section:
    rows = (
        ("job", job["id"]),
        ("type", job["type"]),
        ("state", job["state"]),
        ("attempt", f"{job['attempt']} of {job['max_attempts']}"),
        ("progress", _percent(job) if job["state"] == "running" else ""),
        ("note", job.get("note") or ""),
        ("worker", job["worker"] or ""),
        ("workers lost", str(job.get("kills") or "")),
        ("payload", " ".join(f"{key}={value}" for key, value in job["payload"].items() if value is not None)),
        ("submitted", _time(job.get("submitted_at"))),
        ("started", _time(job.get("started_at"))),
        ("finished", _time(job.get("finished_at"))),
        ("took", _took(job)),
        ("next attempt", _time(job.get("retry_at"))),
        ("cancel asked", _time(job.get("cancel_requested_at"))),
        ("peak memory", human_bytes(job["peak_memory_bytes"]) if job.get("peak_memory_bytes") else ""),
        ("fault of", (job.get("error") or {}).get("fault") or ""),
        ("replays", str(job.get("replays") or "")),
        ("trace", job.get("trace_id") or ""),
    )
    return Section(tables=(Table(("", ""), tuple(row for row in rows if row[1])),))


def _error(job: Job) -> tuple[Section, ...]:
    error = job.get("error")
    if not error:
        return ()
    lines = [f"{error['type']}: {error['message']}", *(error.get("traceback") or "").splitlines()]
    if error.get("fingerprint"):
        lines.append(f"Fingerprint {error['fingerprint']}.")
    if job["worker"]:
        lines.append(f"What its workers logged: tradebot jobs logs {job['id']}")
    return (Section("Error", lines=tuple(lines)),)


def _events(job: Job) -> tuple[Section, ...]:
    rows = tuple((_time(each["at"]), each["state"], each["by"], each["note"]) for each in job.get("events") or ())
    return (Section("Events", tables=(Table(("at", "state", "by", "note"), rows),)),) if rows else ()


def _result(job: Job) -> tuple[Section, ...]:
    result = job.get("result")
    if result and sweeps.is_one(result):
        return sweeps.sections(result)
    if result and walks.is_one(result):
        return walks.sections(result)
    return (Section("Result", tables=_result_tables(result)),) if result else ()


def _picture(job: Job) -> tuple[Section, ...]:
    result = job.get("result") or {}
    return sweeps.picture(result) if sweeps.is_one(result) else ()


def _percent(job: Job) -> str:
    return f"{round(100 * (job.get('progress') or 0))} %"


def _time(moment: str | None) -> str:
    return f"{moment[:19].replace('T', ' ')} UTC" if moment else ""


def _took(job: Job) -> str:
    if not (job.get("started_at") and job.get("finished_at")):
        return ""
    seconds = (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["started_at"])).total_seconds()
    return f"{seconds:.2f} s"


def _result_tables(result: dict[str, Any]) -> tuple[Table, ...]:
    plain = tuple((name, shown(value)) for name, value in scalars(result))
    tables = [Table(("measure", "value"), plain)] if plain else []
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            columns = tuple(value[0])
            rows = tuple(tuple(shown(row.get(column)) for column in columns) for row in value[:10])
            more = f" (first 10 of {len(value)})" if len(value) > 10 else ""
            tables.append(Table(columns, rows, title=f"{name}{more}"))
    return tuple(tables)


def scalars(result: dict[str, Any]) -> list[tuple[str, Any]]:
    """The single values of a result, those within others, too, by their names."""
    found: list[tuple[str, Any]] = []
    for name, value in result.items():
        if isinstance(value, dict):
            found += scalars(value)
        elif not isinstance(value, list):
            found.append((name, value))
    return found
