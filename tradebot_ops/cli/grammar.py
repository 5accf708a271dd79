"""Reads a call of `tradebot` as the command line would, without running anything."""

import shlex
import threading
from functools import cache
from typing import Any

from typer.main import get_command

from tradebot_ops.cli.boundary import value_options
from tradebot_ops.cli.words import parted

#: How a call ends that is only mentioned, without the arguments it needs.
MENTIONED = {"MissingParameter", "NoArgsIsHelpError"}

#: Stands for the command, whose name is not looked at before the global options are read.
_ANY = "status"

#: Commands are imported as they are asked for, and import one another: two threads at once see halves of them.
_ONE_BY_ONE = threading.Lock()


def words(call: str) -> list[str]:
    """The words a shell would pass. What stands for more words, and a full stop, are left out."""
    return [
        word.rstrip(".") if word.endswith(".") and len(word) > 1 else word
        for word in shlex.split(call)
        if not word.startswith("…") and word != "--help"
    ]


def resolve(call: list[str]) -> None:
    """Raises for what the command line would refuse."""
    command = _root()
    front, rest = parted(call[1:] if call[:1] == ["help"] else call, value_options(command))
    context = command.make_context("tradebot", [*front, _ANY]) if front else _without_options()
    while hasattr(command, "resolve_command") and rest:
        _, command, rest = command.resolve_command(context, rest)
        context = command.make_context(command.name, rest, parent=context)
        rest = [*context._protected_args, *context.args]  # noqa: SLF001 - Click has no other way to them


@cache
def _root() -> Any:
    from tradebot_ops.cli.main import app

    return get_command(app)


@cache
def _without_options() -> Any:
    """The context of most calls: reading the global options anew took a third of the time of a call."""
    return _root().make_context("tradebot", [_ANY])


def complaint(call: str) -> str:
    """The command line's complaint about the words after ``tradebot``; empty where it would run them.

    It announces commands as it goes: ask in a thread of its own.
    """
    try:
        with _ONE_BY_ONE:
            resolve(words(call))
    except Exception as error:  # noqa: BLE001 - Typer's own classes, whatever they are
        return "" if type(error).__name__ in MENTIONED else " ".join(str(error).split()) or type(error).__name__
    return ""
