"""The name of the command that runs, for the ``schema`` of its JSON: Click's path of it, joined by dots.

Success and failure read it here, so that they cannot disagree, and no operation has to know what it is called.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import typer

from tradebot_ops.cli.help import clarified

#: Before a command is known, and for a call that names none.
ROOT = "tradebot"

_running: ContextVar[str] = ContextVar("running", default=ROOT)


def command_name() -> str:
    """``alerts.list``: the innermost command that the words of this call led to."""
    return _running.get()


def announce(path: Sequence[str]) -> None:
    """From here on ``path`` is what runs; nothing in it is the root."""
    _running.set(".".join(path) or ROOT)


class NamedContext(typer.Context):
    """Announces its command when it is made, that is before the command's own words are read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        announce(_path(self))


def named(command: Any) -> Any:
    """The command, made to announce itself and those below it when they are called, with its values named in help."""
    command.context_class = NamedContext
    clarified(command)
    for each in getattr(command, "commands", {}).values():
        named(each)
    return command


def expected(name: str, command: Any, words: Sequence[str]) -> list[str]:
    """Where ``words`` will lead from ``command``, as far as is known before options are read."""
    path = [name]
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return path


def _path(context: Any) -> list[str]:
    if context.parent is None:
        return []
    return [*_path(context.parent), context.info_name]
