"""The commands as the Tab key needs them: plain data, remembered, so that a key press does not load Typer."""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from tradebot_ops.cli.completion.shape import Command, Parameter
from tradebot_ops.cli.registry import COMMANDS
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.version import version

#: Code that commands, their options and the values of these come from.
_PACKAGE = Path(__file__).parents[2]
_CODE = (_PACKAGE / "cli", _PACKAGE / "settings")


class Tree:
    """Commands, each read from Typer once and kept in ``folder`` until the code changes; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @cached_property
    def root(self) -> Command:
        """``tradebot`` itself: its options, and none of the commands below."""
        return self._command("")

    def named(self, word: str) -> Command | None:
        """The command that follows ``tradebot``; under an old name, the one that it stands for."""
        entry = COMMANDS.get(word)
        if entry is None:
            return None
        first, *rest = (entry.alias or word).split()
        found = self._command(first)
        for each in rest:
            found = found.commands.get(each, found)
        return found

    def _command(self, name: str) -> Command:
        return self._kept(name) or self._read(name)

    def _kept(self, name: str) -> Command | None:
        if self._folder is None:
            return None
        try:
            kept = json.loads((self._folder / _file(name)).read_text(encoding="utf-8"))
            return _command_of(kept["command"]) if kept["code"] == self._code else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # none yet, or one of another version
            return None

    def _read(self, name: str) -> Command:
        from tradebot_ops.cli.completion.read import command

        found = command(name)
        if self._folder is not None:
            content = json.dumps({"code": self._code, "command": asdict(found)})
            with contextlib.suppress(OpsError):  # only time is lost where nothing can be written
                PrivateFolder(self._folder).write(_file(name), content)
        return found

    @cached_property
    def _code(self) -> list[Any]:
        """Changes with the code: files that an upgrade writes may all be of one date."""
        found = [each for folder in _CODE for each in _modules(folder)]
        return [version(), len(found), sum(each.st_size for each in found), max(each.st_mtime_ns for each in found)]


def _file(name: str) -> str:
    return f"commands-{name or 'tradebot'}.json"


def _modules(folder: Path) -> Iterable[os.stat_result]:
    for parent, _, names in os.walk(folder):
        yield from (os.stat(f"{parent}/{name}") for name in names if name.endswith(".py"))  # noqa: PTH116 - a key press


def _command_of(kept: Mapping[str, Any]) -> Command:
    below = {name: _command_of(each) for name, each in kept["commands"].items()}
    return Command(kept["about"], kept["hidden"], tuple(map(_parameter_of, kept["parameters"])), below)


def _parameter_of(kept: Mapping[str, Any]) -> Parameter:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return Parameter(**fields)
