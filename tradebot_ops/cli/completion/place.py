"""Where on the command line the cursor stands: at a command's name, an option, or the value of a parameter."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tradebot_ops.cli.completion.shape import Command, Parameter
from tradebot_ops.cli.completion.tree import Tree


@dataclass(frozen=True)
class Place:
    """``parameter`` is what a value is typed for, if for any."""

    command: Command
    parameter: Parameter | None = None

    @property
    def awaits_option(self) -> bool:
        """Whether the value of an option must stand here."""
        return self.parameter is not None and self.parameter.is_option


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


def place_of(tree: Tree, words: Sequence[str]) -> Place | None:
    """The place behind these words, which follow the program's name; None behind a command that does not exist."""
    command, awaited, given, ended = tree.root, None, 0, False
    for word in words:
        if awaited is not None:
            awaited = None
        elif word == "--" and not ended:
            ended = True
        elif word.startswith("-") and len(word) > 1 and not ended:
            option = option_of(tree, command, word)
            awaited = option if option is not None and option.takes_value and "=" not in word else None
        elif (below := _below(tree, command, word)) is not None:
            command = below
        elif command is tree.root:
            return None
        else:
            given += 1
    return Place(command, awaited if awaited is not None else _argument(command, given))


def _below(tree: Tree, command: Command, word: str) -> Command | None:
    return tree.named(word) if command is tree.root else command.commands.get(word)


def option_of(tree: Tree, command: Command, word: str) -> Parameter | None:
    """The option that ``word`` spells, one of the command's own before one of all."""
    name = word.partition("=")[0]
    return next((each for each in (*command.parameters, *tree.root.parameters) if name in each.names), None)


def _argument(command: Command, given: int) -> Parameter | None:
    """The argument behind so many that were given; one that may be repeated takes all the rest."""
    for each in command.parameters:
        if each.is_option:
            continue
        if each.nargs < 0 or given < each.nargs:
            return each
        given -= each.nargs
    return None
