"""Input of a program of the stack about one replica, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.labels import label


@dataclass(frozen=True)
class LocalReplica:
    """A replica as described, already rewritten for this host. ``ports`` maps its own ports to the local ones.

    ``rewrite`` does to a text what was done to the command: addresses and paths become those of this host. ``host``
    is the environment of the command that the user typed. ``say`` shows them a line about this replica.
    """

    stack: Stack
    service: Service
    number: int
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ports: Mapping[int, int]
    paths: Mapping[str, str]
    listen: str
    layout: Layout
    rewrite: Callable[[str], str]
    host: Mapping[str, str]
    say: Callable[[str], None] = lambda _line: None

    @property
    def stack_folder(self) -> Path:
        return self.stack.folder

    @property
    def own_folder(self) -> Path:
        """For files that are made for this replica; it goes when the replica goes."""
        return self.layout.temporary / label(self.service.name, self.number)

    def folder(self, default: str) -> Path:
        """The working folder: the described one, or ``default``, where it is mounted; else the stack's folder."""
        mounted = self.paths.get(self.service.working_dir or default)
        return Path(mounted) if mounted else self.stack_folder


@dataclass(frozen=True)
class Launch:
    """The process to start. ``argv[0]`` is absolute; ``stop_signal`` empty keeps the described one."""

    argv: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""


Say = Callable[[str], None]


def _nothing(_replica: LocalReplica) -> None:
    """Most programs need no preparation."""


def _here(_host: Mapping[str, str], _say: Say) -> None:
    """Most programs came with this package or with the host; ``launch`` says if not."""


def _silent(_service: Service) -> tuple[str, ...]:
    """Most programs name other services in their command and environment only."""
    return ()


@dataclass(frozen=True)
class Program:
    """``words`` are the first command words it answers to.

    ``launch`` looks up the binary and changes nothing but where data may lie; ``initialise`` makes the data folder
    before the first start and renders configuration before each. ``obtain`` fetches the binary where that is
    possible and may take minutes. All raise ``OpsError``. ``texts`` are the contents of configuration files that
    name other services as ``service:port``. ``absent`` says why it never runs on this engine.
    """

    words: tuple[str, ...]
    launch: Callable[[LocalReplica], Launch]
    initialise: Callable[[LocalReplica], None] = _nothing
    obtain: Callable[[Mapping[str, str], Say], None] = _here
    texts: Callable[[Service], tuple[str, ...]] = _silent
    absent: str = ""
