"""How long a job waits for its next attempt."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential, with full jitter: any wait from 0 to ``first_s`` · 2^(n-1) seconds, at most ``most_s``.

    Jobs that failed together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
    """

    first_s: float
    most_s: float

    def wait_s(self, failures: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
        """Seconds until the next attempt, after so many ``failures``, 1 or more."""
        return uniform(0.0, self.ceiling_s(failures))

    def ceiling_s(self, failures: int) -> float:
        """The longest that ``wait_s`` may give."""
        return min(self.first_s * 2.0 ** min(failures - 1, 60), self.most_s)
