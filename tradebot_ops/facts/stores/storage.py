"""Where the data stores keep their files: on which file system, with how much room, and which files there are."""

import os
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.stores import postgres, redis

LOCAL = "local"


@dataclass(frozen=True)
class Folder:
    """A data folder as its server names it. ``lasting``: it outlives the replica. Sizes in bytes."""

    service: str
    path: str
    mounted_on: str
    lasting: bool
    free: int
    size: int
    command: str

    @property
    def free_share(self) -> float:
        return self.free / self.size if self.size else 0.0


@fact(seconds=10, of=(engine.replicas, redis.config))
def redis_folder(ops: Ops, replicas: tuple[Replica, ...], config: dict[str, str]) -> Folder:
    return _folder(ops, replicas, redis.SERVICE, config["dir"])


@fact(seconds=10, of=(engine.replicas, postgres.settings))
def postgres_folder(ops: Ops, replicas: tuple[Replica, ...], settings: dict[str, postgres.Setting]) -> Folder:
    return _folder(ops, replicas, postgres.SERVICE, settings["data_directory"].value)


@fact(seconds=10, of=(engine.replicas, redis.config))
def append_only_files(ops: Ops, replicas: tuple[Replica, ...], config: dict[str, str]) -> tuple[str, ...]:
    """Names of the files of Redis' append-only log, with its manifest; empty where the folder is missing."""
    folder = f"{config['dir']}/{config.get('appenddirname', '')}".rstrip("/")
    if ops.engine.name == LOCAL:
        there = Path(folder)
        return tuple(sorted(file.name for file in there.iterdir())) if there.is_dir() else ()
    result = ops.engine.exec(_running(replicas, redis.SERVICE), ["ls", "-1", folder], timeout=5)
    return tuple(sorted(result.output.split())) if result.exit_code == 0 else ()


def _folder(ops: Ops, replicas: tuple[Replica, ...], service: str, path: str) -> Folder:
    if ops.engine.name == LOCAL:
        return _here(ops, service, path)
    command = ["df", "-Pk", path]
    result = ops.engine.exec(_running(replicas, service), command, timeout=5)
    try:
        _, size, _, free, _, mounted_on = result.output.strip().splitlines()[-1].split(None, 5)
        sizes = 1024 * int(free), 1024 * int(size)
    except (ValueError, IndexError):
        raise OpsError(
            f"`{' '.join(command)}` in {service} answered: {result.output.strip()[:120]}.",
            code="TB-0260",
            hint=f"tradebot exec {service} -- df -Pk {path}",
        ) from None
    # The root of a container is its own layer, which goes with it.
    return Folder(service, path, mounted_on, mounted_on != "/", *sizes, " ".join(command))


def _here(ops: Ops, service: str, path: str) -> Folder:
    """On this host itself: what lies in a folder of the project's state, or where the description mounts one."""
    folder = Path(path)
    described = ops.stack.services[service].mounts
    kept = [ops.state.folder, *(Path(mount.source) for mount in described if mount.source.startswith("/"))]
    inside = next((str(place) for place in kept if folder.is_relative_to(place)), "")
    disk = os.statvfs(_existing(folder))
    return Folder(service, path, inside, bool(inside), disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize,
                  f"statvfs {path}")  # fmt: skip


def _existing(folder: Path) -> Path:
    """The nearest folder above that this user may look at: the data of another user's server is closed to us."""
    return next(place for place in (folder, *folder.parents) if os.access(place, os.X_OK))


def _running(replicas: tuple[Replica, ...], service: str) -> Replica:
    for replica in replicas:
        if replica.service == service and replica.state is State.RUNNING:
            return replica
    raise NotRunning(f"The service {service} does not run.", code="TB-0261", hint="tradebot up")
