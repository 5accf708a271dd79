"""A copy in another folder of this host, such as that of a mounted disk."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.backups.shelf import Backup, sha256
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import make_private, sync, writable
from tradebot_ops.text.quantities import human_bytes


@dataclass(frozen=True)
class FolderCopy:
    """Where it comes to lie, a folder of its own under the project's name; ``root`` is what the operator named."""

    root: Path
    project: str
    backup: Backup

    @property
    def folder(self) -> Path:
        return self.root / self.project / self.backup.id

    @property
    def place(self) -> str:
        return str(self.folder)

    @property
    def apart(self) -> bool:
        """Whether it is on another file system than the backup."""
        return self.root.stat().st_dev != self.backup.folder.stat().st_dev

    def check(self) -> None:
        """Raises ``OpsError`` TB-0276 for what is no folder: a disk that is not mounted would be written past."""
        if not self.root.is_dir():
            message = f"{self.root} is no folder, so nothing was copied there."
            raise OpsError(message, code="TB-0276", hint=f"Mount the disk, or make the folder: mkdir -p '{self.root}'")
        if self.folder.resolve() == self.backup.folder.resolve():
            message = f"{self.root} is where the backup lies, and a backup is no copy of itself."
            raise OpsError(message, code="TB-0276", hint="Name another disk, or another host: backup@nas:/srv/backups")

    def put(self, names: Sequence[str]) -> bool:
        """Write what is not there yet, under a draft's name until all of it is on the disk; whether it wrote.

        Raises ``OpsError`` TB-0847 without the room for it, TB-0802 for a disk that cannot be written.
        """
        if self.folder.exists():
            return False
        self._check_room()
        draft = self.folder.with_name(f".{self.backup.id}.unfinished")
        with writable(draft), _removed(draft):
            make_private(draft)
            for name in names:
                shutil.copyfile(self.backup.folder / name, draft / name)
                (draft / name).chmod(0o600)
                sync(draft / name)
            draft.rename(self.folder)
            sync(self.folder.parent)
        return True

    def sums(self, names: Sequence[str]) -> Mapping[str, str]:
        """Checksums of the files as they lie there, read from the disk itself; a file that is away has none."""
        return {name: _sha256(self.folder / name) for name in names if (self.folder / name).is_file()}

    def _check_room(self) -> None:
        free, size = shutil.disk_usage(self.root).free, self.backup.size
        if free < size:
            message = f"{self.root} has {human_bytes(free)} free, and the backup takes {human_bytes(size)}."
            raise OpsError(message, code="TB-0847", hint="Free space there, or name another place.")


@contextlib.contextmanager
def _removed(draft: Path) -> Iterator[None]:
    """Nothing is left of an earlier attempt, nor of one that fails."""
    shutil.rmtree(draft, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sha256(path: Path) -> str:
    """Of what the disk holds: the kernel forgets first what it still has of the file in memory."""
    with path.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return sha256(path)
