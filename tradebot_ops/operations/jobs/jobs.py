"""Jobs, through the API: submit, follow, list, show, cancel."""

import json
import re
import time
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.follow import ENDED, follow
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.report import followed, listed
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.beginnings import whole

#: Called each time a followed job has changed.
Watcher = Callable[[dict[str, Any]], None]
#: So many jobs are named where a beginning fits several.
CANDIDATES = 5
#: Less than a whole id.
_BEGINNING = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{0,34}")


def submit(
    ops: Ops,
    job_type: str,
    pairs: Sequence[str],
    *,
    wait: bool,
    notify: str | None = None,
    watch: Watcher = ignore_progress,
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Submit a job; with ``wait`` until it ended or the timeout passed (TB-0602; the job runs on)."""
    api, payload = ops.api, payload_of(pairs)  # before any hook: whether there is anybody to ask, and for what
    with change(ops, "jobs submit", job_type, on_progress=on_progress, lease=False):
        job = api.submit(job_type, payload, notify=notify)
    return followed(until_ended(ops, job["id"], watch) if wait else job)


def until_ended(ops: Ops, job_id: str, watch: Watcher = ignore_progress) -> dict[str, Any]:
    """The job once it has ended; raises ``OpsError`` TB-0602 when that takes longer than the timeout: it runs on."""
    job = follow(ops, job_id, deadline=time.monotonic() + ops.settings.timeout, watch=watch)
    if job["state"] not in ENDED:
        raise OpsError(
            f"Job {job_id} is still {job['state']} after {ops.settings.timeout:g} s; it runs on.",
            code="TB-0602",
            hint=f"tradebot jobs watch {job_id}",
        )
    return job


def payload_of(pairs: Sequence[str]) -> dict[str, Any]:
    """``fast=10 symbol=AAPL`` as an object; raises ``OpsError`` TB-0202 for what is no pair."""
    payload: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise OpsError(
                f"'{pair}' is not NAME=VALUE.",
                code="TB-0202",
                hint="tradebot jobs submit backtest symbol=AAPL fast=10 slow=30",
            )
        payload[name] = _value(text)
    return payload


def _value(text: str) -> Any:
    """The text read as JSON; else, and where a number would be written back otherwise (``1e5``, ``NaN``), the text.

    The API reads a number from a text where it wants one, but cannot know how a name that looks like one was typed.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, float) and (not isfinite(value) or repr(value) != text) else value


def watch_job(ops: Ops, job_id: str, watch: Watcher) -> Report:
    found = whole_id(ops, job_id)
    return followed(follow(ops, found, deadline=time.monotonic() + ops.settings.timeout, watch=watch))


def cancel(ops: Ops, job_id: str, on_progress: OnProgress = ignore_progress) -> Report:
    found = whole_id(ops, job_id)
    with change(ops, "jobs cancel", found, on_progress=on_progress, lease=False):
        job = ops.api.cancel(found)
    return Report(data=job, sections=(Section(lines=(f"Job {job['id']} is {job['state']}.",)),))


def list_jobs(ops: Ops, state: str | None, job_type: str | None, limit: int) -> Report:
    return listed(ops.api.jobs(state, job_type, limit), state, job_type, limit, ops.clock())


def whole_id(ops: Ops, typed: str) -> str:
    """The id that begins as was typed. Raises ``OpsError`` TB-0222 where several do."""
    if not _BEGINNING.fullmatch(typed):
        return typed
    page = ops.api.jobs(None, None, CANDIDATES, beginning=typed.lower())
    return whole(typed.lower(), [job["id"] for job in page["jobs"]], "jobs", "tradebot jobs list")
