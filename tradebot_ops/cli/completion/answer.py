"""The answer to a press of the Tab key, in a form that each shell's few lines can read.

The shell puts the line up to the cursor into ``_TRADEBOT_COMPLETE``. Each candidate is a line, with a tab and some
words about it behind; a line ``:files`` says that names of files fit, too, ``:open`` that no space follows.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tradebot_ops.cli import in_force
from tradebot_ops.cli.boundary import parted, value_options
from tradebot_ops.cli.completion.cache import Names, here
from tradebot_ops.cli.completion.kinds import FILES, kinds_of, values_of
from tradebot_ops.cli.completion.place import Place, option_of, place_of, takes_value, typed
from tradebot_ops.cli.registry import COMMANDS

Candidate = tuple[str, str]


def answer(root: Any, line: str) -> None:
    """Write the candidates for the line to stdout; then have newer names looked up where those are old."""
    words, last = typed(line)
    in_force.keep(parted(words[1:], value_options(root))[0])
    cache = here(in_force.options())
    known = cache.known()
    with sys.stdout as stdout:  # closed, so that the shell goes on
        stdout.write(offered(root, words[1:], last, known.names))
    if not known.fresh():
        cache.refresh()


def offered(root: Any, words: list[str], last: str, names: Names) -> str:
    """The answer to ``last`` behind ``words`` where these names are known."""
    option, equals, value = last.partition("=")
    place = place_of(root, words)
    if place is None:
        return ""
    if equals and last.startswith("--"):
        parameter = option_of(root, place.command, option)
        place = Place(place.path, place.command, parameter)
        fitting = [] if parameter is None else list(_values(place, names))
        return _written(((f"{option}={each}", about) for each, about in fitting if each.startswith(value)), place)
    if last.startswith("-") and not _awaits_option(place):
        fitting = list(_options(root, place.command))
    elif place.command is root and place.parameter is None:
        fitting = [(name, entry.help) for name, entry in COMMANDS.items() if not entry.hidden]
    else:
        fitting = [*_subcommands(place), *_values(place, names)]
    taken = set(words) if place.parameter is not None and place.parameter.nargs < 0 else set()
    return _written((each for each in fitting if each[0].startswith(last) and each[0] not in taken), place)


def _awaits_option(place: Place) -> bool:
    return place.parameter is not None and place.parameter.param_type_name == "option"


def _options(root: Any, command: Any) -> Iterator[Candidate]:
    for each in [*command.params, *(root.params if command is not root else ())]:
        if each.param_type_name == "option" and not getattr(each, "hidden", False):
            for name in (*each.opts, *each.secondary_opts):
                yield name, each.help or ""
    yield "--help", "Show this message and exit."


def _subcommands(place: Place) -> Iterator[Candidate]:
    if not _awaits_option(place):
        for name, command in getattr(place.command, "commands", {}).items():
            if not command.hidden:
                yield name, command.get_short_help_str(80)


def _values(place: Place, names: Names) -> Iterator[Candidate]:
    if place.parameter is None or (_awaits_option(place) and not takes_value(place.parameter)):
        return
    for value in values_of(place.path, place.parameter):
        yield value, ""
    for kind in kinds_of(place.path, place.parameter):
        yield from names.get(kind, ())


def _written(candidates: Iterable[Candidate], place: Place) -> str:
    parameter = place.parameter
    kinds = () if parameter is None else kinds_of(place.path, parameter)
    unknown = parameter is not None and not kinds and not values_of(place.path, parameter)
    lines = [":files"] * (FILES in kinds or unknown) + [":open"] * ("parameter" in kinds)
    lines += ["\t".join((name, " ".join(about.split()))).rstrip() for name, about in candidates]
    return "".join(f"{line}\n" for line in lines)
