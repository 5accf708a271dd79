"""The folders that remember a project, and this host, from one command to the next.

A project's is ``$XDG_STATE_HOME/tradebot/<project>`` (or ``~/.local/state``): its records, secrets and local data, and
the lock of whoever changes it.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from tradebot_ops.audit import FILES
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder, make_private, writable
from tradebot_ops.records import Record

R = TypeVar("R", bound=Record)

# Not platformdirs: it reads the process's environment, and commands and tests hand theirs over.


def state_root(environ: Mapping[str, str]) -> Path:
    """Where all projects keep their state: ``TRADEBOT_STATE``, else the XDG state folder of this user."""
    if chosen := environ.get("TRADEBOT_STATE"):
        return Path(chosen)
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "state")
    return Path(base) / "tradebot"


def cache_root(environ: Mapping[str, str]) -> Path:
    """Where things lie that can be made again at any time."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(base) / "tradebot"


class HostState(PrivateFolder):
    """The records of this host, or of one project on it."""

    def load(self, kind: type[R]) -> R:
        """The record as it was stored last, or with its defaults; ``OpsError`` TB-0801 when its file is damaged."""
        return self.read_as(kind.FILE, kind.of)

    def store(self, record: Record) -> None:
        """Keep a record; an unchanged one is not written again."""
        self.write_json(record.FILE, record.content())

    def discard(self, kind: type[Record]) -> None:
        self.remove(kind.FILE)


class ProjectState(HostState):
    """Everything that one project remembers: records, secrets, local data, and the lock of whoever changes it."""

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def forget(self) -> None:
        """Remove everything this project remembers; the lock file stays while it is held, the audit log for good."""
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if entry.name in {"lock", *FILES}:
                continue
            with writable(entry):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    @contextlib.contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold the project for one change. The kernel frees it when the holder dies; TB-0701 names the holder."""
        # Not filelock: its import takes 30 ms, for what is one call of flock here.
        path = self.folder / "lock"
        with writable(path):
            make_private(self.folder)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = stream.read().strip() or "another tradebot command"
                raise OpsError(
                    f"This project is being changed by {holder}.",
                    code="TB-0701",
                    hint="Wait for it to end, or stop it, and run the command again.",
                ) from error
            stream.truncate(0)
            stream.write(f"`tradebot {purpose}` (process {os.getpid()})")
            stream.flush()
            yield
