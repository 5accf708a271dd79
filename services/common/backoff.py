"""How long a job waits for its next attempt."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential, with full jitter: any wait from 0 to ``first_s`` · 2^(n-1) seconds, at most ``most_s``.

    Jobs that failed together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
    Without ``jitter`` each wait is the longest it may be.
    """

    first_s: float
    most_s: float
    jitter: bool = True

    def wait_s(self, failures: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """Seconds until the next attempt, after so many ``failures``, 1 or more."""
        ceiling_s = self.ceiling_s(failures)
        return uniform(0.0, ceiling_s) if self.jitter else ceiling_s

    def ceiling_s(self, failures: int) -> float:
        """The longest that ``wait_s`` may give."""
        return min(self.first_s * 2.0 ** min(failures - 1, 60), self.most_s)
