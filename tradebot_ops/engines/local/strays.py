"""Processes that outlived their supervisor. The kernel signals them; a slow one may still be ending."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tradebot_ops.engines.local.layout import MARK, Layout

_BETWEEN_LOOKS = 0.05


def strays(layout: Layout) -> dict[str, list[int]]:
    """Live processes of this project by replica, the oldest first; read from their environment."""
    start = os.fsencode(f"{MARK}={layout.base}/")
    found: dict[str, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                for variable in (entry / "environ").read_bytes().split(b"\0"):
                    if variable.startswith(start):
                        found.setdefault(os.fsdecode(variable[len(start) :]), []).append(int(entry.name))
    return {replica: sorted(pids) for replica, pids in found.items()}


def end(layout: Layout, stop_signals: dict[str, str], grace: float) -> tuple[str, ...]:
    """Ask every stray to stop, kill what is left after ``grace`` seconds; returns the replicas that had any."""
    found = strays(layout)
    for replica, pids in found.items():
        send(pids[:1], stop_signals.get(replica, "SIGTERM"))
    deadline = time.monotonic() + grace
    while (left := strays(layout)) and time.monotonic() < deadline:
        time.sleep(_BETWEEN_LOOKS)
    for pids in left.values():
        send(pids, "SIGKILL")
    return tuple(sorted(found))


def send(pids: list[int], name: str) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, name))
