"""Who changes the project now."""

import os
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact

#: Lines such as ``1: FLOCK  ADVISORY  WRITE 4242 fe:01:131 0 EOF``.
LOCKS = Path("/proc/locks")


@dataclass(frozen=True)
class Lease:
    """``holder`` is empty while nobody holds it; ``seconds`` for how long it has been held."""

    holder: str = ""
    seconds: float = 0.0


@fact()
def lease(ops: Ops) -> Lease:
    """Read from the kernel's list: taking the lock to see whether it is free would turn others away."""
    file = ops.state.folder / "lock"
    try:
        found = file.stat()
    except FileNotFoundError:
        return Lease()
    if not _held(found):
        return Lease()
    holder = file.read_text(encoding="utf-8", errors="replace").strip() or "another tradebot command"
    return Lease(holder, max(0.0, ops.clock().timestamp() - found.st_mtime))


def _held(found: os.stat_result) -> bool:
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise OpsError(
            f"The kernel's list of locks cannot be read: {error.strerror}.", code="TB-0263", hint=f"cat {LOCKS}"
        ) from None
    # A waiting process has an arrow in its line; it holds nothing.
    return any(place in line.split() and "->" not in line for line in lines)
