"""One engine as an operation's threads see it: they share its list, wait for its news and give up together."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from tradebot_ops.engines.base import Announces, Engine, Replica

#: How old the list may be, with an engine that announces changes and with one that must be asked.
ANNOUNCED_SECONDS, ASKED_SECONDS = 1.0, 0.25


class Stopped(Exception):  # noqa: N818 - not an error of its own: another one ended the operation
    """Given up because another service failed."""


class EngineView:
    """Shared by the threads of one operation."""

    def __init__(self, engine: Engine, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``patience``: seconds that each replica may take from its start until it is ready."""
        self.engine = engine
        self.patience = patience
        self.clock = clock
        self._changed = threading.Condition()
        self._stopped = False
        self._fresh_seconds = ASKED_SECONDS
        self._asking = threading.Lock()
        self._seen_at = float("-inf")
        self._seen: dict[tuple[str, int], Replica] = {}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, an engine that can announces changes, so that nobody needs to ask it again and again."""
        if not isinstance(self.engine, Announces):
            yield
            return
        unsubscribe = self.engine.announce(self.forget)
        self._fresh_seconds = ANNOUNCED_SECONDS
        try:
            yield
        finally:
            self._fresh_seconds = ASKED_SECONDS
            unsubscribe()

    def replica(self, service: str, number: int) -> Replica | None:
        with self._asking:
            if self.clock() - self._seen_at >= self._fresh_seconds:
                # The time before the question: what changes while it is answered is asked for again.
                self._seen_at = self.clock()
                self._seen = {(found.service, found.number): found for found in self.engine.list()}
            return self._seen.get((service, number))

    def saw(self, found: Replica) -> None:
        """Store the state that an engine returned of a replica that it just changed."""
        with self._asking:
            self._seen[found.service, found.number] = found

    def forget(self) -> None:
        """Mark what was seen as older than what was just done; whoever waits for a change looks again."""
        with self._changed:
            self._seen_at = float("-inf")
            self._changed.notify_all()

    def stop(self) -> None:
        """End all waiting: another part of the operation failed."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raises ``Stopped`` when another part of the operation failed."""
        if self._stopped:
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Let the time pass, whatever happens to others; raises ``Stopped`` when another part failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, seconds)
        self.check()

    def wait(self, seconds: float) -> None:
        """Wait for news, ``seconds`` at most; raises ``Stopped`` when another part of the operation failed."""
        with self._changed:
            if not self._stopped:
                self._changed.wait(seconds)
        self.check()
