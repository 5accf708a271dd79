"""A folder of one user alone (0700) whose files (0600) are replaced whole.

A crash, even of the whole host, leaves the old content of a file or the new, never half of one.
"""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tradebot_ops.errors import OpsError

T = TypeVar("T")


class PrivateFolder:
    """Nothing is created before the first write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_as(self, name: str, parse: Callable[[dict[str, Any]], T]) -> T:
        """The JSON object in a file, parsed; a file that does not exist counts as an empty object.

        ``parse`` raises ``ValueError`` for what it does not understand. Raises ``OpsError`` TB-0801 for that and for
        a file that cannot be read or is damaged; the file stays as it is.
        """
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            content = {}
        except OSError as error:
            raise OpsError(
                f"The state file {path} cannot be read: {error.strerror}.",
                code="TB-0801",
                hint="Run tradebot as the user who started this project, or choose another folder: TRADEBOT_STATE=…",
            ) from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"is damaged: {error}") from error
        if not isinstance(content, dict):
            raise _damaged(path, f"holds {type(content).__name__} where an object belongs")
        try:
            return parse(content)
        except ValueError as error:
            raise _damaged(path, f"is damaged or of another version: {error}") from error

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self.write(name, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Replace a file atomically and durably; one that holds just this is left alone, which spares the disk.

        Raises ``OpsError`` TB-0802 when the disk is full or may not be written.
        """
        path = self.folder / name
        content = text.encode()
        with writable(path):
            make_private(self.folder)
            make_private(path.parent)
            if not _holds(path, content, mode):
                _replace(path, [content], mode)
        return path

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        path = self.folder / name
        with writable(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents, the folder itself readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextlib.contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a sentence: ``OpsError`` TB-0802."""
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


def _holds(path: Path, content: bytes, mode: int) -> bool:
    """Whether the file is there with just this content and mode."""
    try:
        return path.stat().st_mode & 0o777 == mode and path.read_bytes() == content
    except OSError:
        return False


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write a file that its owner alone may read, all of it or nothing; how many lines. Raises ``OpsError`` TB-0802."""
    if not path.parent.is_dir():
        raise OpsError(f"The folder of {path} does not exist.", code="TB-0802", hint=f"mkdir -p '{path.parent}'")
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield f"{line}\n".encode()

    with writable(path):
        _replace(path, counted(), 0o600)
    return count


def overwrite(path: Path, text: str) -> None:
    """Change what a file holds and leave the file: a container that has it mounted by itself would not see another one.

    In one write, so that readers find the old content or the new, and a kill leaves no half of one; a shorter text has
    line ends behind it for a moment. Raises ``OpsError`` TB-0802.
    """
    content = text.encode()
    with writable(path):
        mode = path.stat().st_mode & 0o777
        if not mode & 0o200:
            path.chmod(mode | 0o200)
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(handle, content.ljust(os.fstat(handle).st_size, b"\n"), 0)
            os.ftruncate(handle, len(content))
            os.fsync(handle)
        finally:
            os.close(handle)
            path.chmod(mode)


def _replace(path: Path, content: Iterable[bytes], mode: int) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.writelines(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk: a new name is safe only once its folder is, too."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path, what: str) -> OpsError:
    return OpsError(
        f"The state file {path} {what}.",
        code="TB-0801",
        hint=f"Move it away and run the command again: mv '{path}' '{path}.damaged'",
    )
