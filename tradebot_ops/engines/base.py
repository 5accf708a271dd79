"""The protocol every engine keeps: twelve verbs over single replicas.

An engine gets the description of one replica and makes it so. Order, parallelism, readiness, draining and
everything that is policy live in ``tradebot_ops.operations`` and are the same on every engine. An engine turns
errors of the library it owns into ``OpsError``; a verb it cannot do raises ``Unsupported``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol, runtime_checkable

from tradebot_ops.engines.inspection import EngineInfo, Inspected, TriedOut
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.labels import Labelled

#: Reports a long step as it goes: (service, one line). Image builds and downloads use it.
Progress = Callable[[str, str], None]


class State(StrEnum):
    """State of one replica as the engine reports it; ``RESTARTING`` covers back-off between crashes."""

    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    EXITED = "exited"
    FAILED = "failed"  # gave up: will not be restarted by the engine

    @property
    def alive(self) -> bool:
        """It runs, or the engine starts it again without being asked."""
        return self in {State.STARTING, State.RUNNING, State.RESTARTING, State.PAUSED}


class Health(StrEnum):
    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Address:
    """Where this host reaches a port of a replica."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Published:
    """A port of a replica that the operator can reach: ``target`` inside, ``address`` outside."""

    target: int
    address: Address


@dataclass(frozen=True)
class Replica(Labelled):
    """One replica as the engine sees it now. ``id`` is the engine's own handle for it."""

    service: str
    number: int
    id: str
    name: str
    state: State
    health: Health = Health.NONE
    spec_hash: str = ""
    content_hash: str = ""
    exit_code: int | None = None
    restarts: int = 0
    pid: int | None = None
    started_at: datetime | None = None
    image: str = ""
    published: tuple[Published, ...] = ()
    oom_killed: bool = False
    host: str = ""  # where this host reaches ports that are not published; empty: only `endpoint` knows


@dataclass(frozen=True)
class Stats:
    """Resources of one replica: ``cpu`` in cores (1.0 = one core busy), None if not asked for; memory in bytes."""

    id: str
    cpu: float | None
    memory: int
    memory_limit: int | None = None


@dataclass(frozen=True)
class LogLine(Labelled):
    service: str
    number: int
    text: str
    at: datetime | None = None


@dataclass(frozen=True)
class Event(Labelled):
    """Something that happened to a replica: ``start``, ``die``, ``oom``, ``health_status: healthy`` …"""

    at: datetime
    service: str
    number: int
    action: str
    exit_code: int | None = None


@dataclass(frozen=True)
class LogQuery:
    """``services`` empty means all; ``tail`` is lines per replica, None means all."""

    services: tuple[str, ...] = ()
    number: int | None = None
    since: datetime | None = None
    tail: int | None = None
    follow: bool = False


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    output: str


@dataclass(frozen=True)
class ImageFacts:
    """Services by the state of the images or the source that they are made of, and replicas by what they stand on.

    ``missing``: this engine has no image, ``present``: it has one. ``rebuilt``: replicas run another one than its tag
    names by now. ``outdated``: it was made from other source than lies there now. ``edited``: replicas were started
    from other source than lies there now, on an engine that runs the source itself.

    ``detached``: replicas that are not on a network they are to be on, by service and number, with its name.
    ``replaced``: those with a file mounted by itself that is another one by now, which a reload would not see.
    """

    missing: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    rebuilt: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    edited: frozenset[str] = frozenset()
    detached: Mapping[tuple[str, int], str] = field(default_factory=dict)
    replaced: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class ImageDates:
    """When an image was built, and the oldest layer under it; None where it does not say."""

    image: str
    built: datetime | None
    base: datetime | None


@dataclass(frozen=True)
class Leftover:
    """Something of the project that nothing needs any more. ``kind`` is container, network, volume or image."""

    kind: str
    name: str
    why: str
    id: str
    size: int | None = None  # bytes, where the engine knows


class Engine(Protocol):
    """Makes the world match one project's stack. Opened for one project; safe to call from several threads."""

    name: str

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Make what replicas stand on: networks and volumes, or the supervisor. Images come with ``apply``."""

    def list(self) -> tuple[Replica, ...]:
        """Every replica of the project, running or not; empty when nothing was ever started."""

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        """Make replica ``number`` exist as described and start it; recreate it if its spec hash differs."""

    def stop(self, replica: Replica, grace: float) -> None:
        """Send the service's stop signal, wait ``grace`` seconds, then kill. It is not restarted."""

    def signal(self, replica: Replica, name: str) -> None:
        """Send the named signal, such as ``SIGHUP``, to the replica's main process."""

    def remove(self, replica: Replica) -> None:
        """Forget a stopped replica. Data in volumes stays."""

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        """Remove networks or the supervisor, with ``volumes`` the data too; returns the names of what went."""

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Log lines, oldest first per replica; with ``follow`` until the caller stops."""

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Run a command where the replica runs, with its environment."""

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = True) -> tuple[Stats, ...]:
        """Memory and CPU of running replicas, asked in parallel; a replica that vanished is left out.

        CPU is measured over a moment, so without it the answer comes sooner.
        """

    def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
        """Events of the project's replicas."""

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """Where this host reaches that port, published or not."""


# What only some engines can do. Operations ask with ``isinstance`` and say so where an engine cannot.


@runtime_checkable
class HasImages(Protocol):
    """Knows what replicas are made of, images or the source itself, and whether there is a newer one."""

    def image_facts(self, stack: Stack) -> ImageFacts:
        """Problems of the images or the source of the stack; only asks."""


@runtime_checkable
class KeepsImages(Protocol):
    """Knows which of its images tradebot built, whoever asked for that."""

    def image_sources(self) -> Mapping[str, str]:
        """Every image by its name, with the hash of the source that tradebot built it from; empty where others did."""


@runtime_checkable
class KeepsHistory(Protocol):
    """Knows by which steps its images were made."""

    def image_history(self, images: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The steps of each of ``images`` that is present, the last one first."""


@runtime_checkable
class Announces(Protocol):
    """Announces changes by itself."""

    def announce(self, changed: Callable[[], None]) -> Callable[[], None]:
        """From the return on, call ``changed`` from another thread whenever a replica changed; returns what ends it."""


@runtime_checkable
class Attaches(Protocol):
    """Runs a command with this process's own streams instead of collecting its output."""

    def attached(self, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
        """The command's exit code; ``terminal`` gives it a terminal of its own, as a shell needs.

        An empty command is the user's or the image's own shell.
        """


@runtime_checkable
class Pipes(Protocol):
    """Runs a command between two files: what is too large to hold, and is no text."""

    def piped(
        self, replica: Replica, command: Sequence[str], *, source: BinaryIO | None = None, sink: BinaryIO | None = None
    ) -> ExecResult:
        """Run it with ``source`` as its input and its output into ``sink``; the result has what it wrote to stderr.

        Both are files with a descriptor; without one there is no input, or the output is thrown away. It may take as
        long as it needs. A full disk is raised as ``OSError``, or is the command's own failure.
        """


@runtime_checkable
class Prunes(Protocol):
    """Keeps things of a project besides its replicas, and so leaves some behind."""

    def leftovers(self, stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        """Objects that the stack needs no more: one-off containers, networks; volumes and images if asked."""

    def discard(self, leftover: Leftover) -> None:
        """Remove it; what is gone already is fine."""


@runtime_checkable
class Inspects(Protocol):
    """Knows more of its replicas and of itself than the verbs need."""

    def inspected(self) -> tuple[Inspected, ...]:
        """Every replica of the project in full, with its one-offs; running or not."""

    def info(self) -> EngineInfo:
        """The engine itself and what it stands on."""


@runtime_checkable
class TriesOut(Protocol):
    """Can run something of its own for a moment, to prove that it can."""

    def try_out(self, images: Sequence[str]) -> TriedOut:
        """Create, start, ask and remove a scratch container from the first of ``images`` that is present.

        Raises ``OpsError`` where the engine gives no answer.
        """


@runtime_checkable
class DatesImages(Protocol):
    """Knows how old what it runs is."""

    def image_dates(self, images: Sequence[str]) -> tuple[ImageDates, ...]:
        """Of those that are present."""


@runtime_checkable
class StandsOutside(Protocol):
    """Can stand where a stranger on the same engine would."""

    def ask_outside(self, image: str, command: Sequence[str]) -> str:
        """Output of a command in a scratch container that is in none of the project's networks, then removed."""
