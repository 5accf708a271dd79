"""Processes of this host with all that descend from them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def trees(pids: Iterable[int]) -> "dict[int, list[psutil.Process]]":
    """Each of these processes first, then its descendants; nothing of one that is gone.

    One look at the process table for all of them: psutil looks through it anew for each process that it is asked of.
    """
    import psutil

    children: dict[int, list[psutil.Process]] = {}
    known: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            children.setdefault(process.ppid(), []).append(process)
        except psutil.Error:  # it ended meanwhile
            continue
        known[process.pid] = process
    return {pid: _with_descendants(known[pid], children) if pid in known else [] for pid in pids}


def _with_descendants(process: "psutil.Process", children: "dict[int, list[psutil.Process]]") -> "list[psutil.Process]":
    found = [process]
    for each in found:  # grows while it is read
        found += children.get(each.pid, ())
    return found
