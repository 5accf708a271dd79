"""One dead job, as an operator wants to know it first: whose fault, how often, like which others, what to type next."""

from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.jobs.jobs import whole_id
from tradebot_ops.text.quantities import ago, human_bytes
from tradebot_ops.text.sentences import agreed, ended

FAULTS = {
    "job": "the job's own: its input, its code, or what it asks for",
    "stack": "the stack's: a store, a worker or the host failed under it",
}


def show(ops: Ops, typed: str) -> Report:
    """Why it died. Raises ``OpsError`` TB-0293 for a job that is not dead."""
    job = ops.api.job(whole_id(ops, typed))
    if job["state"] != "dead":
        raise OpsError(
            f"Job {job['id']} is {job['state']}, not dead.", code="TB-0293", hint=f"tradebot jobs show {job['id']}"
        )
    error = job["error"]
    alike = next((each for each in ops.api.dead_groups() if _same(each, job)), None)
    traceback = (error["traceback"] or "").splitlines()
    sections = [
        Section(tables=(Table(("", ""), _facts(ops, job, alike)),)),
        Section("Why", lines=(ended(f"{error['type']}: {error['message']}"), *traceback)),
        Section("Next", lines=_next(job, alike)),
    ]
    return Report(data={"job": job, "group": alike}, sections=tuple(sections))


def _same(group: dict[str, Any], job: dict[str, Any]) -> bool:
    return bool(group["fingerprint"] == job["error"]["fingerprint"] and group["type"] == job["type"])


def _facts(ops: Ops, job: dict[str, Any], alike: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    rows = (
        ("job", job["id"]),
        ("type", job["type"]),
        ("fault", FAULTS.get(job["error"]["fault"], "")),
        ("died", f"{ago(job['finished_at'], ops.clock())} ago"),
        ("attempts", f"{job['attempt']} of {job['max_attempts']}"),
        ("workers lost", str(job["kills"] or "")),
        ("given back", str(job["deferrals"] or "")),
        ("replays", str(job["replays"] or "")),
        ("last worker", job["worker"] or ""),
        ("peak memory", human_bytes(job["peak_memory_bytes"]) if job["peak_memory_bytes"] else ""),
        ("payload", " ".join(f"{key}={value}" for key, value in job["payload"].items() if value is not None)),
        ("group", job["error"]["fingerprint"]),
        ("died alike", agreed(f"{alike['jobs']} jobs") if alike else ""),
        ("set aside", "yes" if alike and alike["quarantined"] else ""),
    )
    return tuple(row for row in rows if row[1])


def _next(job: dict[str, Any], alike: dict[str, Any] | None) -> tuple[str, ...]:
    lines = [f"What its workers logged: tradebot jobs logs {job['id']}"]
    again = " --again" if job["replays"] else ""
    lines.append(f"Once the cause is gone: tradebot dlq replay {job['id']}{again}")
    if alike and alike["jobs"] > 1:
        lines.append(f"All that died alike: tradebot dlq replay --group {alike['fingerprint']} --rate 5")
    lines.append(f"If it is of no use any more: tradebot dlq purge {job['id']}")
    return tuple(lines)
