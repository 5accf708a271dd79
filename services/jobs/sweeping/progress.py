"""How far a grid of runs has come, reported no more often than people read."""

import time

from services.common.jobtypes import JobContext
from services.jobs.market.wording import several

EVERY_S = 0.25


class Progress:
    """Counts the runs that have begun, and lets a cancelled job end between two of them."""

    def __init__(self, ctx: JobContext, runs: int) -> None:
        self._ctx, self._runs = ctx, runs
        self._begun, self._reported = 0, 0.0

    def begun(self) -> None:
        """Call before each run; raises ``JobCancelled``."""
        self._ctx.check_cancelled()
        if (now := time.monotonic()) - self._reported >= EVERY_S:
            self._reported = now
            self._ctx.progress(self._begun / self._runs, f"{self._begun} of {several(self._runs, 'run')}")
        self._begun += 1
