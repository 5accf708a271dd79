"""Mounted configuration as containers can read it.

A checkout that was made under umask 077 belongs to its owner alone, and most containers run as another user: their
programs would crash on the first file. As with secrets, what protects such files is the private folder around them, so
what lies within one is opened inside it. What does not is left alone, and whoever cannot read it is not started.
"""

from collections.abc import Callable, Iterator, Mapping
from os import stat_result
from pathlib import Path

from tradebot_ops.engines.docker.secrets import in_private
from tradebot_ops.errors import Unavailable
from tradebot_ops.stack.hashing import configuration_of, every_path
from tradebot_ops.stack.model import Service, Stack

#: Of others: to read a file, and to list a folder and enter it.
_FILE, _FOLDER = 0o004, 0o005
_ROOT = {"", "0", "root"}


def open_mounts(stack: Stack, user_of: Callable[[Service], str]) -> Mapping[str, Unavailable]:
    """Make mounted configuration readable within private folders; returns the services that cannot read theirs.

    ``user_of`` says as whom a service starts, in the words of its description or of its image; it is asked only where
    that matters.
    """
    refused = {}
    for service in stack.services.values():
        for root, path in _closed(stack, service):
            if not _reads(user_of(service), path.stat()) and not _opened(root, path):
                refused[service.name] = unreadable(service, root, path)
    return refused


def _closed(stack: Stack, service: Service) -> Iterator[tuple[Path, Path]]:
    """Paths that others may not read, with the mount in which they lie."""
    for root in configuration_of(stack, service):
        for path in every_path(root):
            needed = _FOLDER if path.is_dir() else _FILE
            if path.stat().st_mode & needed != needed:
                yield root, path


def _reads(user: str, status: stat_result) -> bool:
    """Whether that user certainly may, or may for all that is known: what root may depends on its capabilities."""
    name, _, group = user.partition(":")
    if name in _ROOT:
        return True
    if name.isdigit() and int(name) == status.st_uid:
        return bool(status.st_mode & 0o400)
    return group.isdigit() and int(group) == status.st_gid and bool(status.st_mode & 0o040)


def _opened(root: Path, path: Path) -> bool:
    if not in_private(root):
        return False
    try:
        path.chmod(path.stat().st_mode & 0o7777 | (0o555 if path.is_dir() else 0o444))
    except PermissionError:
        return False
    return True


def unreadable(service: Service, root: Path, path: Path) -> Unavailable:
    return Unavailable(
        f"{service.name} cannot read {path}, which is mounted for it: it runs as another user than the file's owner.",
        code="TB-0849",
        hint=f"chmod -R o+rX '{root}'",
    )
