"""The machine the engine runs on: disk, pressure, clock, kernel settings. Sizes are bytes, times are seconds."""

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.engines.processes import trees
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import NotApplicable, Skip, fact

if TYPE_CHECKING:
    import psutil

_TIMEX_BYTES, _STA_UNSYNC, _STA_NANO, _TIME_ERROR = 208, 0x40, 0x2000, 5
_KERNEL = {
    "overcommit": "/proc/sys/vm/overcommit_memory",
    "hugepages": "/sys/kernel/mm/transparent_hugepage/enabled",
    "somaxconn": "/proc/sys/net/core/somaxconn",
}


@dataclass(frozen=True)
class Disk:
    """The file system under ``path``. ``inodes`` is 0 where it has no fixed number of them."""

    path: str
    total: int
    free: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True)
class Pressure:
    """``some`` is the share of five minutes (0 to 1) in which work waited, by resource; ``swap`` bytes by replica."""

    some: Mapping[str, float]
    swap: Mapping[str, int]


@dataclass(frozen=True)
class Load:
    """``queue`` are the tasks that run or wait for a processor at this moment; ``mean`` over five minutes, those that
    wait for a disk included. ``available`` is memory that programs can still get, ``swapped`` what lies in swap.
    """

    queue: int
    mean: float
    available: int
    swapped: int
    swap: int


@dataclass(frozen=True)
class Clock:
    """``offset`` to the time servers, None where nobody measures it; ``engine_apart`` to this host, beyond the
    time that the answer took.
    """

    synchronised: bool
    offset: float | None
    engine_apart: float
    evidence: str


@dataclass(frozen=True)
class Kernel:
    """Contents of the file as Redis sees it; None where the file does not exist there."""

    overcommit: str | None
    hugepages: str | None
    somaxconn: str | None


@fact(seconds=10, of=(engine.info, engine.replicas))
def disk(ops: Ops, info: EngineInfo, replicas: tuple[Replica, ...]) -> Disk:
    """Where the engine keeps its data; seen from within a container where the engine is another host's."""
    if info.on_this_host:
        found = os.statvfs(_nearest(info.data_root))
        size = found.f_frsize
        return Disk(info.data_root, found.f_blocks * size, found.f_bavail * size, found.f_files, found.f_favail)
    sizes = _answer(ops, replicas, "df", "-P", "-k", "/").splitlines()[-1].split()
    inodes = _answer(ops, replicas, "df", "-P", "-i", "/").splitlines()[-1].split()
    return Disk(info.data_root, int(sizes[1]) * 1024, int(sizes[3]) * 1024, int(inodes[1]), int(inodes[3]))


def _nearest(folder: str) -> Path:
    """The folder, or where it will be made: before the first `up` it does not exist."""
    path = Path(folder)
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))


@fact(seconds=8)
def days_until_full(ops: Ops) -> float | None:
    """By the trend of seven days; None while Prometheus is away, has less than a day of it, or space grows."""
    free = 'node_filesystem_avail_bytes{job="node",mountpoint="/"}'
    try:
        found = ops.prometheus.query(f"({free} / -deriv({free}[7d]) / 86400) and on(instance) ({free} offset 1d)")
    except NotRunning:
        return None
    days = [series.value for series in found if series.value > 0]
    return min(days, default=None)


@fact(seconds=10, of=(engine.info, engine.replicas))
def pressure(ops: Ops, info: EngineInfo, replicas: tuple[Replica, ...]) -> Pressure:
    """The kernel's own figures (PSI), and the swap of the two stores."""
    some = {}
    for resource in ("cpu", "memory", "io"):
        path = f"/proc/pressure/{resource}"
        text = _here(path) if info.on_this_host else _answer(ops, replicas, "cat", path)
        if text is None:
            raise NotApplicable(Skip.ENGINE, "The kernel of this host does not measure pressure (no /proc/pressure).")
        some[resource] = _some(text)
    stores = {each.label: each.pid for each in replicas if each.service in {"redis", "postgres"} and each.pid}
    return Pressure(some, _swap(stores) if info.on_this_host else {})


@fact(seconds=10, of=(engine.info, engine.replicas))
def load(ops: Ops, info: EngineInfo, replicas: tuple[Replica, ...]) -> Load:
    """Of the whole host: the kernel shows it alike in every container."""
    texts = []
    for path in ("/proc/loadavg", "/proc/meminfo"):
        text = _here(path) if info.on_this_host else _answer(ops, replicas, "cat", path)
        if text is None:
            raise NotApplicable(Skip.ENGINE, f"This host does not show its load ({path} cannot be read).")
        texts.append(text)
    return loaded(*texts)


def loaded(loadavg: str, meminfo: str) -> Load:
    """Pure: the two files of /proc, read. Who reads them runs itself, and is not counted."""
    _, mean, _, tasks, _ = loadavg.split()
    sizes = {
        name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in meminfo.splitlines())
    }
    total, free = sizes.get("SwapTotal", 0), sizes.get("SwapFree", 0)
    return Load(max(int(tasks.partition("/")[0]) - 1, 0), float(mean), sizes["MemAvailable"], total - free, total)


@fact(seconds=8, of=(engine.info,))
def clock(ops: Ops, info: EngineInfo) -> Clock:
    """The kernel says how far its clock is from the time servers; of another host's the node exporter does."""
    synchronised, offset, evidence = _kernel_clock() if info.on_this_host else _exported_clock(ops)
    return Clock(synchronised, offset, _apart(info), evidence)


@fact(seconds=10, of=(engine.replicas,))
def kernel(ops: Ops, replicas: tuple[Replica, ...]) -> Kernel:
    """Asked where Redis runs: the length of its queue of connections belongs to its network alone."""
    script = "for f in " + " ".join(_KERNEL.values()) + '; do cat "$f" 2>/dev/null || echo; done'
    lines = _answer(ops, replicas, "sh", "-c", script).splitlines()
    values = [line.strip() or None for line in (*lines, "", "", "")[: len(_KERNEL)]]
    return Kernel(**dict(zip(_KERNEL, values, strict=True)))


def _answer(ops: Ops, replicas: tuple[Replica, ...], *command: str) -> str:
    """Output of a command in the Redis replica."""
    redis = next((each for each in replicas if each.service == "redis" and each.state is State.RUNNING), None)
    if redis is None:
        raise NotRunning("Redis does not run, and it is asked there.", hint="tradebot up")
    answer = ops.engine.exec(redis, command, timeout=8)
    if answer.exit_code != 0:
        raise OpsError(f"`{' '.join(command)[:60]}` in {redis.label} ended with exit code {answer.exit_code}.")
    return answer.output


def _here(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:  # kernels without it, and those booted with psi=0, refuse
        return None


def _some(text: str) -> float:
    words = dict(word.partition("=")[::2] for word in text.splitlines()[0].split()[1:])
    return float(words["avg300"]) / 100


def _swap(pids: Mapping[str, int]) -> dict[str, int]:
    """By replica, over all its processes; 0 for one that ended meanwhile or is another user's."""
    found = trees(pids.values())
    return {name: sum(map(_swapped, found[pid])) for name, pid in pids.items()}


def _swapped(process: "psutil.Process") -> int:
    import psutil

    try:
        return int(process.memory_full_info().swap)
    except psutil.Error:
        return 0


def _kernel_clock() -> tuple[bool, float | None, str]:
    """adjtimex(2), which only asks here: no program, no right and no Prometheus is needed."""
    buffer = (ctypes.c_long * (_TIMEX_BYTES // ctypes.sizeof(ctypes.c_long)))()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    offset, status = buffer[1], buffer[5] & 0xFFFFFFFF
    synchronised = state != _TIME_ERROR and not status & _STA_UNSYNC
    seconds = offset / (1e9 if status & _STA_NANO else 1e6)
    return synchronised, seconds if synchronised else None, f"adjtimex: status 0x{status:x}, offset {seconds:.6f} s"


def _exported_clock(ops: Ops) -> tuple[bool, float | None, str]:
    names = ("node_timex_sync_status", "node_timex_offset_seconds")
    found = {name: ops.prometheus.query(f'{name}{{job="node"}}') for name in names}
    if not all(found.values()):
        raise OpsError("The node exporter reports no clock.", hint="tradebot monitoring targets")
    synchronised, offset = (found[name][0].value for name in names)
    return synchronised == 1, offset, f"{names[0]} {synchronised:g}, {names[1]} {offset:g}"


def _apart(info: EngineInfo) -> float:
    """An answer shows its time of some moment between question and answer."""
    if info.now is None or info.asked is None or info.answered is None:
        return 0.0
    return max((info.asked - info.now).total_seconds(), (info.now - info.answered).total_seconds(), 0.0)
