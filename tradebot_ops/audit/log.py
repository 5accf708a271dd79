"""The audit log of a project on its disk: one file to which lines are added, and beside it a note of its end.

The next line follows the end that the note names, not the one that the file happens to have: what was cut off, or
emptied, leaves a gap that stays.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tradebot_ops.audit import HEAD, LOG
from tradebot_ops.audit.chain import Entry, Head, digest_of, sealed
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder, make_private, writable

#: Lines are short: the last one is found within so many bytes.
_TAIL = 65_536
#: Longest wait in seconds for another command that adds its line.
_PATIENCE = 5.0
_PAUSE = 0.01


class AuditLog:
    """The log in the folder of a project's state."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG
        self._private = PrivateFolder(folder)

    def append(self, content: Callable[[], Mapping[str, Any]]) -> Head:
        """Add one line, on the disk before this returns; the new end of the log.

        ``content`` is asked once no other command can add one, so that times in the log rise. Raises ``OpsError``
        TB-0802 where the line, or the note of the end, cannot be written.
        """
        with writable(self.path):
            make_private(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with contextlib.closing(os.fdopen(handle, "r+b", buffering=0)) as stream:
                _hold(handle)
                size = os.fstat(handle).st_size
                whole, unended = self._whole(handle, size)
                line, head = sealed(content(), self._end(handle, whole))
                os.ftruncate(handle, whole)
                try:
                    _write(handle, (b"\n" if unended else b"") + line + b"\n")
                    os.fsync(stream)
                except OSError:
                    os.ftruncate(handle, whole)
                    raise
                self._note(head)
        return head

    def read(self) -> bytes:
        """All of it; nothing where there is none. Raises ``OpsError`` TB-0134."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise OpsError(
                f"The audit log {self.path} cannot be read: {error.strerror}.",
                code="TB-0134",
                hint=f"Check who owns it: ls -l '{self.path}'",
            ) from None

    def noted(self) -> Head | None:
        """The end of the log as the last command noted it beside it; None where there is no note, or a damaged one."""
        try:
            return self._private.read_as(HEAD, lambda content: Head.of(content) if content else None)
        except OpsError:
            return None

    def _note(self, head: Head) -> None:
        """Whole or not at all; not waited for until it is on the disk: one that lags is made up for by the log."""
        draft = self.path.with_name(f".{HEAD}")
        draft.write_text(json.dumps(head.content()) + "\n", encoding="ascii")
        draft.chmod(0o600)
        draft.replace(self.path.with_name(HEAD))

    def _end(self, handle: int, size: int) -> Head:
        """The end that the next line follows: the newer one of what the file and the note name."""
        last = _last(handle, size)
        noted = self.noted()
        if noted and (last is None or last.number <= noted.entries):
            return noted
        if last is not None:
            return last.head
        return Head(0, digest_of(os.pread(handle, size, 0))) if size else Head()

    @staticmethod
    def _whole(handle: int, size: int) -> tuple[int, bool]:
        """How many bytes of the file are whole lines, and whether the last of them lacks its end.

        A host that lost power leaves half a line, of a change that did not begin: it goes.
        """
        start = max(0, size - _TAIL)
        tail = os.pread(handle, size - start, start)
        if not tail or tail.endswith(b"\n"):
            return size, False
        rest = tail.rpartition(b"\n")[2]
        if Entry.read(rest) is not None or len(rest) == len(tail):
            return size, True
        return size - len(rest), False


def _last(handle: int, size: int) -> Entry | None:
    """The last line that is an entry."""
    start = max(0, size - _TAIL)
    lines = os.pread(handle, size - start, start).split(b"\n")
    return next((entry for line in reversed(lines) if line and (entry := Entry.read(line))), None)


def _write(handle: int, content: bytes) -> None:
    """All of it: the kernel may take a part, on a disk that becomes full."""
    while content:
        content = content[os.write(handle, content) :]


def _hold(handle: int) -> None:
    """The file for this process alone, until it is closed. One that was stopped in the middle must not stop all."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise
        time.sleep(_PAUSE)
