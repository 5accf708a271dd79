"""CPU and memory of replicas, over each one's whole process tree."""

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from tradebot_ops.engines.base import Stats
from tradebot_ops.engines.processes import trees

#: CPU is measured over at least this long, in seconds; one pause serves all replicas.
_SAMPLE = 0.2


@dataclass(frozen=True)
class _Sample:
    at: float
    seconds: Mapping[int, float]  # processor time by process


class Usage:
    """Remembers the last sample, so that asking again (a live table) measures since then and need not pause."""

    def __init__(self) -> None:
        self._last: dict[str, _Sample] = {}
        self._lock = threading.Lock()

    def memory(self, pids: Mapping[str, int]) -> tuple[Stats, ...]:
        """Memory alone, at once."""
        used = {name: _memory(tree) for name, tree in _trees(pids).items()}
        return tuple(Stats(name, None, size) for name, size in used.items() if size)

    def of(self, pids: Mapping[str, int]) -> tuple[Stats, ...]:
        """Stats by replica id; one that is gone by now is left out."""
        with self._lock:
            first = _trees(pids)
            before = {name: self._last.get(name) or _sample(tree) for name, tree in first.items()}
            wait = max((_SAMPLE - (time.monotonic() - sample.at) for sample in before.values()), default=0.0)
            if wait > 0:
                time.sleep(wait)
            after = {name: _sample(tree) for name, tree in _trees(pids).items()}
            self._last = after
        return tuple(
            Stats(name, round(_cores(before[name], after[name]), 3), _memory(first[name]))
            for name in pids
            if after[name].seconds
        )


def _trees(pids: Mapping[str, int]) -> dict[str, list[psutil.Process]]:
    found = trees(pids.values())
    return {name: found[pid] for name, pid in pids.items()}


def _sample(processes: list[psutil.Process]) -> _Sample:
    seconds = {}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            seconds[process.pid] = times.user + times.system
    return _Sample(time.monotonic(), seconds)


def _cores(before: _Sample, after: _Sample) -> float:
    # A process that came meanwhile counts from zero; one that went takes its share with it.
    used = sum(seconds - before.seconds.get(pid, 0.0) for pid, seconds in after.seconds.items())
    return max(used, 0.0) / max(after.at - before.at, 1e-6)


def _memory(processes: list[psutil.Process]) -> int:
    """Proportional memory, so that pages shared within a tree (Postgres buffers) count once."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                total += process.memory_full_info().pss
            except psutil.AccessDenied:
                total += process.memory_info().rss
    return total
