"""The proof at the end of `up`: one real job travels API → Redis → worker → Postgres and back."""

import time
from dataclasses import dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work.follow import ENDED, follow
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent

CANARY_SECONDS = 30.0


@dataclass(frozen=True)
class Proof:
    """``data`` is the finished job as the API shows it; ``seconds`` from submit to the result read back."""

    sentence: str
    data: dict[str, Any]


def run(ops: Ops, on_progress: OnProgress) -> Proof:
    """Submit the canary and wait for its result. Raises ``OpsError`` TB-0107 naming the link that broke."""
    on_progress(ProgressEvent("canary", Phase.STARTING, "a job goes API -> Redis -> worker -> Postgres"))
    started = time.monotonic()
    job = follow(ops, ops.api.submit("canary", {})["id"], deadline=time.monotonic() + CANARY_SECONDS)
    seconds = time.monotonic() - started
    if job["state"] == "succeeded":
        on_progress(ProgressEvent("canary", Phase.DONE, f"{seconds:.1f} s"))
        return Proof(f"Canary: a job went API -> Redis -> worker -> Postgres and back in {seconds:.1f} s.", job)
    on_progress(ProgressEvent("canary", Phase.FAILED, job["state"]))
    raise OpsError(
        f"The canary job {job['id']} did not come back: {_broken_link(job)}.",
        code="TB-0107",
        hint="tradebot status; tradebot logs worker --tail 50; or start without the proof: tradebot up --no-canary",
    )


def _broken_link(job: dict[str, Any]) -> str:
    if job["state"] not in ENDED:
        where = "no worker took it" if job["state"] == "queued" else f"worker {job['worker']} has not finished it"
        return f"after {CANARY_SECONDS:.0f} s {where}"
    error = job.get("error") or {}
    return f"it ended as {job['state']}: {error.get('message') or 'no reason was recorded'}"
