"""Whether the threads that take and run jobs still move: one that hangs cannot report itself."""

import time

STALL_S = 20.0
"""Longer than anything between two ticks takes that ends by itself: Postgres may hang for 14 s in a claim."""

CONSUMER = "consumer"
MESSAGE = "message"
JOB = "job"


class Liveness:
    """Each part ticks while it moves, and rests while it has nothing to do; called from any thread."""

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._stall_s = stall_s
        self._ticked: dict[str, float] = {CONSUMER: time.monotonic()}

    def tick(self, part: str) -> None:
        self._ticked[part] = time.monotonic()

    def rest(self, part: str) -> None:
        self._ticked.pop(part, None)

    def stalled(self) -> str | None:
        """The part that has not moved for the longest time, when that is too long."""
        part, at = min(self._ticked.copy().items(), key=lambda item: item[1])
        return part if time.monotonic() - at > self._stall_s else None
