"""Permissions of the processes of each running replica, as the kernel has it: on this host alone."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.engines.processes import trees
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.replicas import containers

PROC = Path("/proc")


@dataclass(frozen=True)
class Rights:
    """Of one process: its effective user, its effective capabilities as bits, and whether it may gain more."""

    name: str
    user: int
    capabilities: int
    no_new_privileges: bool

    @property
    def root(self) -> bool:
        return self.user == 0


@fact(seconds=10, of=(containers.replicas, engine.info))
def rights(ops: Ops, replicas: tuple[Inspected, ...], info: EngineInfo) -> Mapping[str, tuple[Rights, ...]]:
    """By replica; empty where the engine's processes are not this host's. An init that only passes signals on to its
    children is left out: it stays as the container was started.
    """
    if not info.on_this_host:
        return {}
    found = trees([each.pid for each in replicas if each.pid])
    return {
        each.label: rights
        for each in replicas
        if each.pid and (rights := _rights(each, [process.pid for process in found[each.pid]]))
    }


def _rights(replica: Inspected, pids: list[int]) -> tuple[Rights, ...]:
    """Of a replica's processes, its first one first."""
    if pids and replica.contained and replica.id not in _text(pids[0], "cgroup"):
        return ()  # in this host's list of processes that number is another process's
    return tuple(_each(pids[1:] if replica.init and len(pids) > 1 else pids))


def _each(pids: list[int]) -> Iterator[Rights]:
    for pid in pids:
        lines = (line.partition(":")[::2] for line in _text(pid, "status").splitlines())
        words = {name: value.split() for name, value in lines}
        if "Uid" in words:
            yield Rights(
                words["Name"][0],
                int(words["Uid"][1]),
                int(words["CapEff"][0], 16),
                words.get("NoNewPrivs", ["0"])[0] == "1",
            )


def _text(pid: int, name: str) -> str:
    with contextlib.suppress(OSError):  # it ended meanwhile
        return (PROC / str(pid) / name).read_text(encoding="utf-8", errors="replace")
    return ""
