"""Asking again while an exchange does not answer, until a deadline."""

from collections.abc import Callable
from typing import TypeVar

from services.common.backoff import Backoff
from services.jobs.exchange.clock import Clock

T = TypeVar("T")
#: Within the time for which a circuit breaker believes in its probe.
DEADLINE_S = 40.0
BACKOFF = Backoff(first_s=1.0, most_s=10.0)


class UnwellError(Exception):
    """The exchange gave no answer, or none that can be used: asked again, it may."""


class NoBarsError(UnwellError):
    """A page without a bar, where one must be."""


class LimitedError(Exception):
    """The exchange refuses us for ``retry_after_s`` seconds: asked again before that, it refuses for longer."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def asked_again(ask: Callable[[], T], clock: Clock, between: Callable[[], None] = lambda: None) -> T:
    """The first answer; ``UnwellError`` of the last time where there is none before the deadline.

    ``between`` is called before each further time, and may end it by raising.
    """
    deadline, failures = clock.monotonic() + DEADLINE_S, 0
    while True:
        try:
            return ask()
        except UnwellError:
            failures += 1
            wait_s = BACKOFF.wait_s(failures)
            if clock.monotonic() + wait_s > deadline:
                raise
        clock.sleep(wait_s)
        between()
