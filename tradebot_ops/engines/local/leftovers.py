"""Volumes that no service of the stack uses any more."""

import shutil

from tradebot_ops.engines.base import Leftover
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.stack.model import Stack
from tradebot_ops.state import writable


def of_volumes(layout: Layout, stack: Stack) -> tuple[Leftover, ...]:
    found = sorted(layout.volumes.iterdir()) if layout.volumes.is_dir() else []
    return tuple(
        Leftover("volume", path.name, "is not in the stack any more", str(path))
        for path in found
        if path.name not in stack.volumes
    )


def discard(layout: Layout, leftover: Leftover) -> None:
    """Remove the volume's folder, and what of it lies outside this user's home."""
    path = layout.volumes / leftover.name
    if not path.is_dir():
        return
    with writable(path):
        for link in path.rglob("*"):
            if link.is_symlink() and link.resolve().is_relative_to(layout.outside):
                shutil.rmtree(link.resolve())
        shutil.rmtree(path)
