"""Where on the command line the cursor stands: at a command's name, an option, or the value of a parameter."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.registry import COMMANDS


@dataclass(frozen=True)
class Place:
    """``path`` leads to ``command``, empty for the root; ``parameter`` is what a value is typed for, if for any."""

    path: tuple[str, ...]
    command: Any
    parameter: Any = None


def typed(line: str) -> tuple[list[str], str]:
    """The words of a line up to the cursor, and the last one, which is not ended yet; quotes may be open."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # an open quote
        return words, lexer.token
    return (words[:-1], words[-1]) if words and not line[-1:].isspace() else (words, "")


def place_of(root: Any, words: Sequence[str]) -> Place | None:
    """The place behind these words, which follow the program's name; None behind a command that does not exist."""
    path: list[str] = []
    command, awaited, given, ended = root, None, 0, False
    for word in words:
        if awaited is not None:
            awaited = None
        elif word == "--" and not ended:
            ended = True
        elif word.startswith("-") and len(word) > 1 and not ended:
            option = option_of(root, command, word)
            awaited = option if option is not None and takes_value(option) and "=" not in word else None
        elif (below := subcommand(root, command, word)) is not None:
            command, path = below, [*path, word]
        elif command is root:
            return None
        else:
            given += 1
    return Place(tuple(path), command, awaited if awaited is not None else _argument(command, given))


def subcommand(root: Any, command: Any, word: str) -> Any:
    """The command that ``word`` names below ``command``; None for none."""
    if command is not root:
        return getattr(command, "commands", {}).get(word)
    entry = COMMANDS.get(word)
    if entry is None:
        return None
    first, *rest = (entry.alias or word).split()
    found = load(first)
    for each in rest:
        found = getattr(found, "commands", {}).get(each, found)
    return found


def option_of(root: Any, command: Any, word: str) -> Any:
    """The option that ``word`` spells, one of the command's own before one of all."""
    name = word.partition("=")[0]
    every = [*command.params, *root.params]
    return next((each for each in every if name in (*each.opts, *each.secondary_opts)), None)


def takes_value(option: Any) -> bool:
    return not getattr(option, "is_flag", False) and not getattr(option, "count", False)


def _argument(command: Any, given: int) -> Any:
    """The argument behind so many that were given; one that may be repeated takes all the rest."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    for each in arguments:
        if each.nargs < 0 or given < each.nargs:
            return each
        given -= each.nargs
    return None
