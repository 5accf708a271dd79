"""The files that hold settings and secrets: who may read them, and whether a repository keeps them."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact

EXAMPLE = ".example"
_GIT_SECONDS = 5.0


@dataclass(frozen=True)
class SettingsFile:
    """``mode`` is its permission bits, ``ours``: it belongs to who runs this, or to root. ``tracked`` and ``ignored``
    are what the repository around it makes of it; both False where there is none.
    """

    name: str
    mode: int
    ours: bool
    owner: str = ""
    tracked: bool = False
    ignored: bool = False
    in_repository: bool = False


@dataclass(frozen=True)
class Kept:
    """Settings files of the folder, and the folder of generated secrets with its mode; None where it is not there."""

    files: tuple[SettingsFile, ...]
    folder: str
    secrets: str = ""
    secrets_mode: int | None = None


@fact(seconds=15)
def kept(ops: Ops) -> Kept:
    """Files from which settings are read; examples hold no value of anybody."""
    here = ops.settings.folder
    paths = sorted(path for path in here.glob(".env*") if path.is_file() and not path.name.endswith(EXAMPLE))
    secrets = ops.state.secrets
    mode = secrets.stat().st_mode & 0o777 if secrets.is_dir() else None
    return Kept(tuple(_files(here, paths)), str(here), str(secrets), mode)


def _files(here: Path, paths: Sequence[Path]) -> Iterator[SettingsFile]:
    in_repository = _git(here, "rev-parse", "--is-inside-work-tree") == "true"
    for path in paths:
        status = path.stat()
        yield SettingsFile(
            path.name,
            status.st_mode & 0o777,
            ours=status.st_uid in {os.geteuid(), 0},
            owner=_name(status.st_uid),
            tracked=in_repository and bool(_git(here, "ls-files", "--", path.name)),
            ignored=in_repository and bool(_git(here, "check-ignore", "--no-index", "--", path.name)),
            in_repository=in_repository,
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _git(folder: Path, *words: str) -> str:
    """Answer of git; empty where it answers nothing, refuses, or is not installed."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
