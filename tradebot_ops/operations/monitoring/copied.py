"""Configuration that a service mounts from the project's state instead of from the stack's own files."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.private_folder import make_private, writable


def write(ops: Ops, folder: Path, texts: Mapping[Path, str]) -> None:
    """Have exactly these files in a folder of the state, by their paths in it.

    Readable for the user that the service has in a container; the folder above keeps others of this host out.
    """
    with writable(ops.state.folder):
        make_private(ops.state.folder)
        ops.state.folder.chmod(0o700)
    for path, text in texts.items():
        ops.state.write(f"{folder.name}/{path}", text, mode=0o444)
    with writable(folder):
        for each in (folder, *folder.rglob("*")):
            if each.is_dir():
                each.chmod(0o755)
            elif each.relative_to(folder) not in texts:
                each.unlink()


def remove(folder: Path) -> None:
    """Of the state; it may be gone already."""
    if folder.is_dir():
        with writable(folder):
            shutil.rmtree(folder)
