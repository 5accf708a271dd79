"""Everything an engine knows of one replica and of itself, as values: what checks and diagnoses judge.

``Replica`` is what every command needs, and cheap; this is the rest. Sizes are bytes, times are seconds or UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tradebot_ops.text.labels import Labelled


@dataclass(frozen=True)
class TriedOut:
    """A scratch container of ``image``, which is empty where none is present; ``refused`` is why it did not run."""

    image: str
    refused: str = ""


@dataclass(frozen=True)
class HealthSample:
    """One run of a container's own health check."""

    at: datetime | None
    exit_code: int
    output: str


@dataclass(frozen=True)
class Mounted:
    """``kind`` is bind, volume or tmpfs; ``source`` the host's path or the volume's name."""

    kind: str
    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class Binding:
    """A published port: ``host_ip`` is what it listens on, ``0.0.0.0`` and ``::`` being every address."""

    target: int
    host_ip: str
    port: int


@dataclass(frozen=True)
class Inspected(Labelled):
    """One replica in full. ``contained`` is False for a process of this host: then what only a container has
    (``privileged``, capabilities, mounts …) says nothing and must not be judged.

    ``status`` is the engine's own word (running, restarting, exited …). A limit is None where there is none.
    ``environment`` may hold secrets: never show it. ``command`` is entrypoint and arguments. ``labels`` hold those
    of the image as well; ``source_hash`` is that of the source it was made from, empty for what others made.
    ``one_off`` containers belong to the project and to no replica.
    """

    service: str
    number: int
    id: str
    name: str
    status: str
    contained: bool = True
    one_off: bool = False
    exit_code: int | None = None
    pid: int | None = None
    restarts: int = 0
    oom_killed: bool = False
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restart_policy: str = "no"
    health: str = "none"
    health_test: tuple[str, ...] = ()
    health_log: tuple[HealthSample, ...] = ()
    image: str = ""
    image_id: str = ""
    source_hash: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    stop_grace: float = 10.0
    init: bool = False
    log_driver: str = ""
    log_options: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    apparmor: str = ""
    read_only: bool = False
    memory_limit: int | None = None
    cpu_limit: float | None = None
    pids_limit: int | None = None
    network_mode: str = ""
    pid_mode: str = ""
    ipc_mode: str = ""
    networks: tuple[str, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True)
class EngineInfo:
    """The engine itself. ``now`` is its clock when it answered, ``asked`` and ``answered`` ours around that.

    ``api`` is the version in use, ``api_min`` and ``api_max`` the engine's own range, ``api_pinned`` what
    DOCKER_API_VERSION asks for; all empty where there is no such thing. ``starts_at_boot`` is None where it cannot be
    seen; ``boot_evidence`` says what was looked at. ``on_this_host``: its files and processes are this host's.
    """

    name: str
    version: str
    os: str
    memory: int
    cpus: int
    data_root: str
    on_this_host: bool
    api: str = ""
    api_min: str = ""
    api_max: str = ""
    api_pinned: str = ""
    log_driver: str = ""
    cgroup: str = ""
    starts_at_boot: bool | None = None
    boot_evidence: str = ""
    now: datetime | None = None
    asked: datetime | None = None
    answered: datetime | None = None
