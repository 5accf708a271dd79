"""Jobs, through the API: submit, follow, list, show, cancel."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.follow import ENDED, follow
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.sentences import ended

#: Called each time a followed job has changed.
Watcher = Callable[[dict[str, Any]], None]


def submit(
    ops: Ops,
    job_type: str,
    pairs: Sequence[str],
    *,
    wait: bool,
    watch: Watcher = ignore_progress,
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Submit a job; with ``wait`` until it ended or the timeout passed (TB-0602; the job runs on)."""
    api, payload = ops.api, payload_of(pairs)  # before any hook: whether there is anybody to ask, and for what
    with change(ops, "jobs submit", job_type, on_progress=on_progress, lease=False):
        job = api.submit(job_type, payload)
    if wait:
        job = follow(ops, job["id"], deadline=time.monotonic() + ops.settings.timeout, watch=watch)
        if job["state"] not in ENDED:
            raise OpsError(
                f"Job {job['id']} is still {job['state']} after {ops.settings.timeout:g} s; it runs on.",
                code="TB-0602",
                hint=f"tradebot jobs watch {job['id']}",
            )
    return job_report(job)


def payload_of(pairs: Sequence[str]) -> dict[str, Any]:
    """``fast=10 symbol=AAPL`` as an object; values that are JSON are read as JSON. Raises ``OpsError`` TB-0202."""
    payload: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise OpsError(
                f"'{pair}' is not NAME=VALUE.",
                code="TB-0202",
                hint="tradebot jobs submit backtest symbol=AAPL fast=10 slow=30",
            )
        try:
            payload[name] = json.loads(text)
        except ValueError:
            payload[name] = text
    return payload


def show(ops: Ops, job_id: str) -> Report:
    return job_report(ops.api.job(job_id))


def watch_job(ops: Ops, job_id: str, watch: Watcher) -> Report:
    return job_report(follow(ops, job_id, deadline=time.monotonic() + ops.settings.timeout, watch=watch))


def cancel(ops: Ops, job_id: str, on_progress: OnProgress = ignore_progress) -> Report:
    with change(ops, "jobs cancel", job_id, on_progress=on_progress, lease=False):
        job = ops.api.cancel(job_id)
    return Report(data=job, sections=(Section(lines=(f"Job {job['id']} is {job['state']}.",)),))


def list_jobs(ops: Ops, state: str | None, job_type: str | None, limit: int) -> Report:
    page = ops.api.jobs(state, job_type, limit)
    rows = tuple(
        (
            job["id"],
            job["type"],
            job["state"],
            f"{round(100 * (job['progress'] or 0))} %",
            f"{job['attempt']}/{job['max_attempts']}",
            job["submitted_at"][:19].replace("T", " "),
            job["worker"] or "",
            ((job["error"] or {}).get("message") or "")[:60],
        )
        for job in page["jobs"]
    )
    columns = ("job", "type", "state", "progress", "attempt", "submitted (UTC)", "worker", "error")
    lines = (
        ()
        if rows
        else ("No jobs yet. Submit one: tradebot jobs submit backtest symbol=AAPL strategy=sma_cross fast=10 slow=30",)
    )
    more = (f"There are more: tradebot jobs list --limit {limit * 2}",) if page["next"] else ()
    tables = (Table(columns, rows),) if rows else ()
    return Report(
        data=page,
        sections=(Section(lines=lines, tables=tables), *([Section(lines=more)] if more else [])),
    )


def job_report(job: dict[str, Any]) -> Report:
    """One job for people: what it is, how it went, and its result as small tables."""
    head = (
        ("job", job["id"]),
        ("type", job["type"]),
        ("state", job["state"]),
        ("attempt", f"{job['attempt']} of {job['max_attempts']}"),
        ("worker", job["worker"] or ""),
        ("payload", " ".join(f"{key}={value}" for key, value in job["payload"].items() if value is not None)),
    )
    sections = [Section(tables=(Table(("", ""), tuple(row for row in head if row[1])),))]
    findings: tuple[Finding, ...] = ()
    if error := job.get("error"):
        findings = (
            Finding(
                Level.FAIL,
                f"job.{error['type']}",
                f"The job ended as {job['state']}: {ended(error['message'])}",
                hint="tradebot logs worker --tail 50",
            ),
        )
    if job["state"] == "cancelled":
        findings = (Finding(Level.FAIL, "job.cancelled", "The job was cancelled."),)
    if result := job.get("result"):
        sections.append(Section("Result", tables=_result_tables(result)))
    return Report(data=job, sections=tuple(sections), findings=findings)


def _result_tables(result: dict[str, Any]) -> tuple[Table, ...]:
    plain = tuple((name, _cell(value)) for name, value in _scalars(result))
    tables = [Table(("measure", "value"), plain)] if plain else []
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            columns = tuple(value[0])
            rows = tuple(tuple(_cell(row.get(column)) for column in columns) for row in value[:10])
            more = f" (first 10 of {len(value)})" if len(value) > 10 else ""
            tables.append(Table(columns, rows, title=f"{name}{more}"))
    return tuple(tables)


def _scalars(result: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in result.items():
        if isinstance(value, dict):
            found += _scalars(value)
        elif not isinstance(value, list):
            found.append((name, value))
    return found


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, dict):
        return " ".join(f"{key}={_cell(part)}" for key, part in value.items())
    return "" if value is None else str(value)
