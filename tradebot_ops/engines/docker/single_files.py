"""Files mounted one by one: a container keeps what it was started with, whatever takes the name of it later.

An editor writes a new file and moves it over the old one. A folder that is mounted shows the new one; a file that is
mounted by itself stays the old one until the container starts again, and reading it again changes nothing.
"""

import hashlib
from pathlib import Path

from tradebot_ops.engines.docker.spec import mounts
from tradebot_ops.stack.model import Service, Stack


def identity(stack: Stack, service: Service) -> str:
    """Fingerprint of which files those are now, by device and inode; empty when there are none.

    Only for services that can read them again: the others are started anew whenever a content changed.
    """
    if not service.reload:
        return ""
    found = [_inode(mount["Source"]) for mount in mounts(stack, service) if mount["Type"] == "bind"]
    single = sorted(each for each in found if each)
    return hashlib.sha256("\0".join(single).encode()).hexdigest() if single else ""


def _inode(source: str) -> str:
    path = Path(source)
    if path.is_dir():
        return ""
    try:
        status = path.stat()
    except OSError:  # gone by now: certainly not the one that was mounted
        return f"{source}\0"
    return f"{source}\0{status.st_dev}\0{status.st_ino}"
