"""The answer to a press of the Tab key, in a form that each shell's few lines can read.

The shell puts the line up to the cursor into ``_TRADEBOT_COMPLETE``. Each candidate is a line, with a tab and some
words about it behind; a line ``:files`` says that names of files fit, too, ``:open`` that no space follows.
"""

import os
import sys
from collections.abc import Iterable, Iterator

from tradebot_ops.cli import in_force
from tradebot_ops.cli.completion.cache import Names, folder, here
from tradebot_ops.cli.completion.place import Place, option_of, place_of, typed
from tradebot_ops.cli.completion.shape import FILES, Command
from tradebot_ops.cli.completion.tree import Tree
from tradebot_ops.cli.registry import COMMANDS
from tradebot_ops.cli.words import parted

Candidate = tuple[str, str]


def answer(line: str) -> None:
    """Write the candidates for the line to stdout; then have newer names looked up where those are old."""
    tree = Tree(folder(os.environ))
    words, last = typed(line)
    spellings = {name: each.takes_value for each in tree.root.parameters for name in each.names}
    in_force.keep(parted(words[1:], spellings)[0])
    cache = here(in_force.options())
    known = cache.known()
    with sys.stdout as stdout:  # closed, so that the shell goes on
        stdout.write(offered(tree, words[1:], last, known.names))
    if not known.fresh():
        cache.refresh()


def offered(tree: Tree, words: list[str], last: str, names: Names) -> str:
    """The answer to ``last`` behind ``words`` where these names are known."""
    option, equals, value = last.partition("=")
    place = place_of(tree, words)
    if place is None:
        return ""
    if equals and last.startswith("--"):
        place = Place(place.command, option_of(tree, place.command, option))
        fitting = [(f"{option}={each}", about) for each, about in _values(place, names) if each.startswith(value)]
        return _written(fitting, place)
    if last.startswith("-") and not place.awaits_option:
        fitting = list(_options(tree, place.command))
    elif place.command is tree.root and place.parameter is None:
        fitting = [(name, entry.help) for name, entry in COMMANDS.items() if not entry.hidden]
    else:
        fitting = [*_subcommands(place), *_values(place, names)]
    taken = set(words) if place.parameter is not None and place.parameter.nargs < 0 else set()
    return _written((each for each in fitting if each[0].startswith(last) and each[0] not in taken), place)


def _options(tree: Tree, command: Command) -> Iterator[Candidate]:
    for each in (*command.parameters, *(tree.root.parameters if command is not tree.root else ())):
        if not each.hidden:
            yield from ((name, each.about) for name in each.names)
    yield "--help", "Show this message and exit."


def _subcommands(place: Place) -> Iterator[Candidate]:
    if not place.awaits_option:
        yield from ((name, each.about) for name, each in place.command.commands.items() if not each.hidden)


def _values(place: Place, names: Names) -> Iterator[Candidate]:
    if place.parameter is None or not place.parameter.takes_value:
        return
    yield from ((value, "") for value in place.parameter.values)
    for kind in place.parameter.kinds:
        yield from names.get(kind, ())


def _written(candidates: Iterable[Candidate], place: Place) -> str:
    wanted = place.parameter
    unknown = wanted is not None and not wanted.kinds and not wanted.values
    kinds = wanted.kinds if wanted else ()
    lines = [":files"] * (FILES in kinds or unknown) + [":open"] * ("parameter" in kinds)
    lines += ["\t".join((name, " ".join(about.split()))).rstrip() for name, about in candidates]
    return "".join(f"{line}\n" for line in lines)
