"""What a program of the stack is told about one replica, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.stack.model import Service


@dataclass(frozen=True)
class Replica:
    """A replica as described, already rewritten for this host. ``ports`` maps its own ports to the local ones."""

    service: Service
    number: int
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ports: Mapping[int, int]
    paths: Mapping[str, str]
    listen: str
    stack_folder: Path
    layout: Layout

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


def _nothing(_replica: Replica) -> None:
    """Most programs need no preparation."""


@dataclass(frozen=True)
class Program:
    """``words`` are the first command words it answers to.

    ``launch`` looks up the binary and changes nothing but where data may lie; ``initialise`` makes the data folder
    before the first start. Both raise ``OpsError``.
    """

    words: tuple[str, ...]
    launch: Callable[[Replica], Launch]
    initialise: Callable[[Replica], None] = _nothing
