"""The time as a download sees it, and how it waits: tests hand in one that does not wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """``now`` decides which bars are closed, ``monotonic`` when patience ends; ``sleep`` waits so many seconds."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
