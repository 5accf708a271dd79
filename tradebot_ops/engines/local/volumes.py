"""Folders in place of volumes: made, listed when nothing of the stack uses them any more, removed.

Data that must not lie in this user's home is behind a link; it goes with its volume.
"""

import shutil
from pathlib import Path

from tradebot_ops.engines.base import Leftover
from tradebot_ops.engines.local.launching.program import LocalReplica
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.private_folder import make_private, writable
from tradebot_ops.stack.model import MountKind, Stack


def make(layout: Layout, replica: LocalReplica) -> None:
    """A folder of this user alone for each volume and tmpfs of the replica."""
    for mount in replica.service.mounts:
        if mount.kind is not MountKind.BIND:
            folder = layout.state / replica.paths[mount.target.rstrip("/") or "/"]
            if not folder.is_symlink():
                with writable(folder):
                    make_private(folder)


def left_over(layout: Layout, stack: Stack) -> tuple[Leftover, ...]:
    """Those that no service of the stack uses any more."""
    found = sorted(layout.volumes.iterdir()) if layout.volumes.is_dir() else []
    return tuple(
        Leftover("volume", path.name, "is not in the stack any more", str(path))
        for path in found
        if path.name not in stack.volumes
    )


def discard(layout: Layout, leftover: Leftover) -> None:
    path = layout.volumes / leftover.name
    if path.is_dir():
        with writable(path):
            _remove(layout, path)


def remove_all(layout: Layout) -> tuple[str, ...]:
    """Returns the names of the volumes that went."""
    if not layout.volumes.is_dir():
        return ()
    gone = tuple(sorted(path.name for path in layout.volumes.iterdir()))
    _remove(layout, layout.volumes)
    if layout.outside.exists():
        shutil.rmtree(layout.outside)
    return gone


def _remove(layout: Layout, folder: Path) -> None:
    for link in folder.rglob("*"):
        if link.is_symlink() and link.resolve().is_relative_to(layout.outside):
            shutil.rmtree(link.resolve())
    shutil.rmtree(folder)
