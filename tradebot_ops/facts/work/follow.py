"""Ask for a job until it ended; apart from the facts because `up` does so, and loads nothing else for it."""

import time
from collections.abc import Callable
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.progress import ignore_progress

ENDED = frozenset({"succeeded", "dead", "cancelled"})
POLL_SECONDS = 0.1


def follow(
    ops: Ops, job_id: str, deadline: float, watch: Callable[[dict[str, Any]], None] = ignore_progress
) -> dict[str, Any]:
    """Ask for a job until it ended or the deadline passed; returns it as last seen."""
    seen = None
    while True:
        job = ops.api.job(job_id)
        mark = (job["state"], job["progress"], job.get("note"))
        if mark != seen:
            watch(job)
            seen = mark
        if job["state"] in ENDED or time.monotonic() >= deadline:
            return job
        time.sleep(POLL_SECONDS)
