"""Real prices to begin with: a stack that is meant for development gets the sample candles at its first `up`."""

import time
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, StackHalted
from tradebot_ops.facts.work.follow import follow
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.sentences import agreed

LOAD_SECONDS = 60.0


def load_once(ops: Ops, on_progress: OnProgress) -> str:
    """Run `load_candles` if it never ran here; returns what to report, empty when there was nothing to do.

    Staging and production never get sample data. Raises ``OpsError`` TB-0109 when the load failed.
    """
    if ops.settings.variables()["ENVIRONMENT"] != "dev" or ops.api.jobs(None, "load_candles", 1)["jobs"]:
        return ""
    try:
        submitted = ops.api.submit("load_candles", {})
    except StackHalted:
        return "No sample candles are loaded while the stack is halted: the `up` after a `resume` does it."
    on_progress(ProgressEvent("prices", Phase.STARTING, "loading sample candles"))
    job = follow(ops, submitted["id"], deadline=time.monotonic() + LOAD_SECONDS)
    if job["state"] != "succeeded":
        on_progress(ProgressEvent("prices", Phase.FAILED, job["state"]))
        raise OpsError(
            f"The sample candles were not loaded: job {job['id']} is {job['state']}.",
            code="TB-0109",
            hint=f"tradebot jobs show {job['id']}",
        )
    sentence = _sentence(job["result"])
    on_progress(ProgressEvent("prices", Phase.DONE, sentence))
    return sentence


def _sentence(result: dict[str, Any]) -> str:
    symbols = ", ".join(row["symbol"] for row in result["symbols"])
    return agreed(f"Loaded {result['inserted']} daily candles of {symbols}.")
