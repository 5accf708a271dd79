"""An answer that is good for a few seconds, however many ask."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

KEEP_S = 5.0


class Kept(Generic[T]):
    """The last answer of ``ask``. Where it raises ``away``, that stays what it was, or is forgotten (``forget``).

    Safe from several threads, of which one asks.
    """

    def __init__(self, ask: Callable[[], T], away: type[Exception], *, forget: bool = False) -> None:
        self._ask, self._away, self._forget = ask, away, forget
        self._lock = threading.Lock()
        self._answer: T | None = None
        self._asked_at = float("-inf")

    def get(self) -> T | None:
        """None until the store has answered once, or while it is forgotten."""
        with self._lock:
            if time.monotonic() - self._asked_at > KEEP_S:
                try:
                    self._answer = self._ask()
                except self._away:
                    self._answer = None if self._forget else self._answer
                self._asked_at = time.monotonic()
            return self._answer
