"""One change of a project's records and configuration at a time, over threads and over commands."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from tradebot_ops.private_folder import make_private, writable


class Changing:
    """A lock file that one thread of one process holds; it may take it again while it does."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._threads = threading.RLock()
        self._depth = 0

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Waits for whoever else is changing something."""
        with self._threads, contextlib.ExitStack() as stack:
            if not self._depth:
                with writable(self._file):
                    make_private(self._file.parent)
                    handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
