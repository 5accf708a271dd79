"""A secret in a file that may be replaced while the service runs, so that a rotation restarts nothing."""

import hmac
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from services.common.settings import read_secret

#: For so many seconds after a change the value before is taken, too: a caller may have read it just then.
GRACE_S = 10.0


class LiveSecret:
    """Read anew whenever it is asked for. Raises as ``read_secret`` where it cannot be read at the start."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = file, clock
        self._lock = threading.Lock()
        self._now = _read(file)
        self._before: SecretStr | None = None
        self._changed_at = 0.0

    @classmethod
    def of(cls, file: Path | None) -> Self | None:
        return None if file is None else cls(file)

    def get(self) -> SecretStr:
        """The present value; the last one while the file cannot be read."""
        try:
            secret, changed_at = _read(self._file), self._file.stat().st_mtime
        except (OSError, ValueError):
            return self._now
        with self._lock:
            if secret != self._now:
                self._before, self._now, self._changed_at = self._now, secret, changed_at
            return self._now

    def accepts(self, given: str) -> bool:
        """Whether it is the present value, or within ``GRACE_S`` of the change the one before."""
        now = self.get()
        with self._lock:
            in_grace = 0 <= self._clock() - self._changed_at < GRACE_S
            before = self._before if in_grace else None
        return same_secret(given, now) or (before is not None and same_secret(given, before))


def same_secret(given: str, expected: SecretStr) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), expected.get_secret_value().encode())


def _read(file: Path) -> SecretStr:
    secret = read_secret(file)
    if secret is None:
        raise ValueError(f"the secret file {file} is empty")
    return secret
