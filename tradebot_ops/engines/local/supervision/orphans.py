"""Processes that outlived their supervisor. The kernel signals them; a slow one may still be ending."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from tradebot_ops.engines.local.layout import MARK, Layout
from tradebot_ops.engines.local.records import Record
from tradebot_ops.text.signals import signal_number

_BETWEEN_LOOKS = 0.05
_GRACE = 10.0


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


def end(layout: Layout, records: Iterable[Record]) -> tuple[str, ...]:
    """Ask every stray to stop, kill what is left after its grace; returns the replicas that had any.

    One whose record is gone gets the defaults.
    """
    known = {record.label: record for record in records}
    found = strays(layout)
    for replica, pids in found.items():
        send(pids[:1], known[replica].stop_signal if replica in known else "SIGTERM")
    begun = time.monotonic()
    while left := strays(layout):
        for replica, pids in left.items():
            if time.monotonic() - begun >= (known[replica].stop_grace if replica in known else _GRACE):
                send(pids, "SIGKILL")
        time.sleep(_BETWEEN_LOOKS)
    return tuple(sorted(found))


def send(pids: list[int], name: str) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number(name))
