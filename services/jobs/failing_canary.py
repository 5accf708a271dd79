"""Job type ``failing_canary``: proof that a job which fails is tried again after a wait, and given up in the end.

Its first ``failures`` attempts raise. That is on purpose, so that whoever counts what fails leaves it out:
``services.common.jobtypes.FAILS_ON_PURPOSE``.
"""

from typing import Any

from pydantic import Field

from services.common.backoff import Backoff
from services.common.jobtypes import FAILS_ON_PURPOSE, JobContext, JobType, Payload

ATTEMPTS = 3


class FailingCanary(Payload):
    nonce: str = Field("", max_length=100, description="comes back in the result")
    failures: int = Field(ATTEMPTS, ge=0, le=ATTEMPTS, description=f"attempts that fail; {ATTEMPTS}: it never succeeds")


class FailedOnPurpose(Exception):  # noqa: N818 - reads as what it is
    """The attempt was asked to fail."""


def run(ctx: JobContext, payload: FailingCanary) -> dict[str, Any]:
    row = ctx.store.execute("SELECT attempt FROM job WHERE id = %s", [ctx.job_id]).fetchone()
    attempt = int(row[0]) if row else 1
    if attempt <= payload.failures:
        raise FailedOnPurpose(f"Attempt {attempt} failed as it was asked to.")
    return {"nonce": payload.nonce, "attempt": attempt}


#: Short: a run of `prod-check` waits for it.
BACKOFF = Backoff(first_s=1.0, most_s=2.0)
JOB = JobType(FAILS_ON_PURPOSE, 1, FailingCanary, run, timeout_s=30, max_attempts=ATTEMPTS, backoff=BACKOFF)
