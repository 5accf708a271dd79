"""The job type of the drill, copied among those of the stack that is drilled: it leaves a row in two tables."""

import time
from typing import Any

from services.common.jobtypes import JobContext, JobType, Payload


class Crash(Payload):
    seconds: float


def run(ctx: JobContext, payload: Crash) -> dict[str, Any]:
    """Write one row plainly and one as an effect, with time to be killed before, within and after it."""
    ctx.store.execute("INSERT INTO drill_plain VALUES (%s)", (ctx.job_id,))
    _work(ctx, payload.seconds / 3)
    with ctx.effect("row") as connection:
        if connection is not None:
            connection.execute("INSERT INTO drill_effect VALUES (%s)", (ctx.job_id,))
            _work(ctx, payload.seconds / 3)
    _work(ctx, payload.seconds / 3)
    return {}


def _work(ctx: JobContext, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))
        ctx.check_cancelled()


JOB = JobType("crash_drill", 1, Crash, run)
