"""Every command that can be called, read from the command tree itself: a new one is in each test of it."""

from collections.abc import Iterator
from typing import Any

from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.registry import COMMANDS


def _leaves(path: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    below = getattr(command, "commands", None)
    if below is None or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, each in (below or {}).items():
        yield from _leaves([*path, name], each)


def leaves() -> list[tuple[list[str], Any]]:
    """(path, command) of each; other names stand for one of them."""
    return [
        leaf
        for name, entry in COMMANDS.items()
        if not entry.alias and name != "ps"
        for leaf in _leaves([entry.command or name], load(name))
    ]


def dotted(path: list[str]) -> str:
    return ".".join(path)
