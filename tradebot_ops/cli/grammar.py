"""Reads a call of `tradebot` as the command line would, without running anything."""

import shlex
import threading
from functools import cache
from typing import Any

from typer.main import get_command

from tradebot_ops.cli.boundary import hoist, value_options

#: How a call ends that is only mentioned, without the arguments it needs.
MENTIONED = {"MissingParameter", "NoArgsIsHelpError"}

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
    root = _root()
    command, rest = root, hoist(call[1:] if call[:1] == ["help"] else call, value_options(root))
    context = None
    while True:
        context = command.make_context(command.name or "tradebot", rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]  # noqa: SLF001 - Click has no other way to them
        if not rest:
            return
        _, command, rest = command.resolve_command(context, rest)


@cache
def _root() -> Any:
    from tradebot_ops.cli.main import app

    return get_command(app)


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
