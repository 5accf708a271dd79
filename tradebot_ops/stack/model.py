"""The typed stack: what ``compose.yaml`` says after interpolation and defaults.

Sizes are bytes, times are seconds, paths of bind mounts are absolute. Every value is final: whoever reads the
model needs neither the environment nor the YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Condition(StrEnum):
    """When a dependency counts as ready (Compose's own names)."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


class MountKind(StrEnum):
    BIND = "bind"
    VOLUME = "volume"
    TMPFS = "tmpfs"


@dataclass(frozen=True)
class Port:
    """A published port. ``published`` is 0 for "any free port"; ``explicit`` is true when the user chose it.

    Only replica 1 of a service publishes. Chosen means: a literal number in the file, or one that comes from a
    variable the user set. The default of a variable is not chosen, so an engine may move it out of the way.
    """

    target: int
    published: int
    host_ip: str = "127.0.0.1"
    explicit: bool = False


@dataclass(frozen=True)
class Mount:
    """``source`` is an absolute host path (bind), a key of ``Stack.volumes`` (volume) or empty (tmpfs).

    ``size`` limits a tmpfs, in bytes; ``mode`` is its permission bits.
    """

    kind: MountKind
    source: str
    target: str
    read_only: bool = False
    size: int | None = None
    mode: int | None = None


@dataclass(frozen=True)
class SecretMount:
    """A secret or config file as one service sees it: the name declared at the top level, and where it appears."""

    source: str
    target: str
    mode: int | None = None


@dataclass(frozen=True)
class Healthcheck:
    """``test`` starts with ``CMD``, ``CMD-SHELL`` or ``NONE``, as Docker takes it."""

    test: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0
    start_interval: float | None = None


@dataclass(frozen=True)
class Dependency:
    """A service that must come first."""

    service: str
    condition: Condition = Condition.STARTED


@dataclass(frozen=True)
class Limits:
    """Limits of one replica: bytes, cores (0.5 is half of one), processes."""

    memory: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True)
class Build:
    """How an image is made: ``context`` and ``dockerfile`` are absolute paths."""

    context: Path
    dockerfile: Path
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True)
class Logging:
    """Where output goes; empty means the engine's own way."""

    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """A container besides its service: its own name and host name, names it knows others by, its terminal.

    ``extra_hosts`` maps a name to an address, ``host-gateway`` being the host itself; ``ulimits`` a limit to its soft
    and hard value; ``shm_size`` is bytes.
    """

    container_name: str = ""
    hostname: str = ""
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shm_size: int | None = None
    tty: bool = False
    stdin_open: bool = False


@dataclass(frozen=True)
class Trust:
    """Whom a client of a service believes: the authority whose certificate is ``ca``, for a server called ``name``.

    The address at which a service is reached differs from client to client, its name does not.
    """

    ca: Path
    name: str


@dataclass(frozen=True)
class Probe:
    """``x-tradebot.probe``: the protocol that proves a service ready, asked by the CLI itself.

    ``protocol`` is ``redis``, ``postgres``, ``http``, ``https`` or ``tcp``; ``path`` belongs to ``http`` and
    ``https``, ``trust`` to ``https``.
    """

    protocol: str
    port: int
    path: str = "/"
    trust: Trust | None = None


@dataclass(frozen=True)
class Service:
    """One service with every default filled in.

    ``spec_hash`` covers all that makes a running replica differ and leaves out the number of replicas; a replica
    with another one must be recreated. ``content_hash`` covers the contents of bind-mounted configuration: when it
    alone differs, sending the signal ``reload`` is enough, or a restart where ``reload`` is empty.
    ``one_shot`` services are done at exit 0.
    """

    name: str
    image: str
    command: tuple[str, ...]
    entrypoint: tuple[str, ...] | None = None
    build: Build | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    expose: tuple[int, ...] = ()
    mounts: tuple[Mount, ...] = ()
    secrets: tuple[SecretMount, ...] = ()
    configs: tuple[SecretMount, ...] = ()
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # network -> aliases
    depends_on: tuple[Dependency, ...] = ()
    healthcheck: Healthcheck | None = None
    restart: str = "no"
    replicas: int = 1
    limits: Limits = field(default_factory=Limits)
    profiles: tuple[str, ...] = ()
    user: str = ""
    read_only: bool = False
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    group_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    init: bool = False
    working_dir: str = ""
    stop_grace: float = 10.0
    stop_signal: str = "SIGTERM"
    labels: Mapping[str, str] = field(default_factory=dict)
    logging: Logging = field(default_factory=Logging)
    host: Host = field(default_factory=Host)
    probe: Probe | None = None
    one_shot: bool = False
    scalable: bool = False  # `x-tradebot.scalable`: replicas beyond the first make sense
    x: Mapping[str, Any] = field(default_factory=dict)  # the rest of `x-tradebot`
    spec_hash: str = ""
    content_hash: str = ""
    reload: str = ""  # `x-tradebot.reload`: the signal that makes it read its configuration again
    needs_memory: int | None = None  # `x-tradebot.needs_memory`: bytes it is set to use; the limit must allow them

    @property
    def aliases(self) -> frozenset[str]:
        """Its further names on any of its networks."""
        return frozenset(alias for names in self.networks.values() for alias in names)


@dataclass(frozen=True)
class SecretFile:
    """A top-level secret or config: where its file lies, and how it is made when it does not exist.

    ``derive`` names the function that computes it from other secrets; empty means a random token.
    """

    name: str
    file: Path
    derive: str = ""


@dataclass(frozen=True)
class Volume:
    """``name`` is the full name on an engine (``<project>_<key>`` unless the file names it)."""

    name: str
    external: bool = False
    driver: str = ""


@dataclass(frozen=True)
class Network:
    """``name`` is the full name on an engine (``<project>_<key>`` unless the file names it)."""

    name: str
    driver: str = ""
    internal: bool = False
    external: bool = False


@dataclass(frozen=True)
class Stack:
    """The whole description. ``project`` names it on an engine; ``folder`` is where ``compose.yaml`` lies.

    ``services`` holds the active ones; ``inactive`` names those that no chosen profile asks for.
    """

    project: str
    folder: Path
    files: tuple[Path, ...]
    services: Mapping[str, Service]
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    secrets: Mapping[str, SecretFile] = field(default_factory=dict)
    configs: Mapping[str, SecretFile] = field(default_factory=dict)
    inactive: tuple[str, ...] = ()
    #: Replicas that the files ask for, by service, where another number was stored and outranks them.
    outranked: Mapping[str, int] = field(default_factory=dict)

    def in_order(self) -> tuple[Service, ...]:
        """Services sorted so that each comes after all it depends on (the loader refused cycles)."""
        done: dict[str, Service] = {}

        def visit(name: str) -> None:
            if name in done:
                return
            for dependency in self.services[name].depends_on:
                visit(dependency.service)
            done[name] = self.services[name]

        for name in self.services:
            visit(name)
        return tuple(done.values())
