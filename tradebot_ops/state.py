"""The folder that remembers one project on this host: secrets, desired replicas, moved ports, local data.

It lies in ``$XDG_STATE_HOME/tradebot/<project>`` (or ``~/.local/state``), belongs to its owner alone (0700), and
every file in it is replaced atomically, so that a crash leaves the old content or the new, never half of one.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError


def state_root(environ: dict[str, str]) -> Path:
    """Where all projects keep their state: ``TRADEBOT_STATE``, else the XDG state folder of this user."""
    if chosen := environ.get("TRADEBOT_STATE"):
        return Path(chosen)
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "state")
    return Path(base) / "tradebot"


def cache_root(environ: dict[str, str]) -> Path:
    """Where things lie that can be made again at any time."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(base) / "tradebot"


class ProjectState:
    """Files of one project. Nothing is created before the first write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def read_json(self, name: str) -> dict[str, Any]:
        """The object stored under ``name``; empty when there is none; ``OpsError`` TB-0801 when it is damaged."""
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise OpsError(
                f"The state file {path} cannot be read: {error.strerror}.",
                code="TB-0801",
                hint="Run tradebot as the user who started this project, or choose another folder: TRADEBOT_STATE=…",
            ) from error
        except (ValueError, UnicodeDecodeError) as error:
            raise OpsError(
                f"The state file {path} is damaged: {error}.",
                code="TB-0801",
                hint=f"Move it away and run the command again: mv '{path}' '{path}.damaged'",
            ) from error
        if not isinstance(content, dict):
            raise OpsError(
                f"The state file {path} holds {type(content).__name__} where an object belongs.",
                code="TB-0801",
                hint=f"Move it away and run the command again: mv '{path}' '{path}.damaged'",
            )
        return content

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        self.write(name, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Replace a file atomically; parents are made 0700."""
        path = self.folder / name
        with writable(path):
            make_private(path.parent)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    os.fchmod(stream.fileno(), mode)
                    stream.write(text)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return path

    def forget(self) -> None:
        """Remove everything this project remembers; the lock file stays while somebody holds it."""
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if entry.name == "lock":
                continue
            with writable(entry):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    @contextlib.contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold the project for one change. The kernel frees it when the holder dies; TB-0701 names the holder."""
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


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents, the folder itself readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextlib.contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a sentence."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the quota is used up",
            errno.EROFS: "it is read-only",
        }
        reason = reasons.get(error.errno or 0, error.strerror or str(error))
        raise OpsError(
            f"Cannot write {path}: {reason}.",
            code="TB-0802",
            hint="Free space or choose another folder: TRADEBOT_STATE=/path/with/space tradebot …",
        ) from error
