"""Read commands from Typer, and what fits at each of their options and arguments."""

from collections.abc import Sequence
from typing import Any

from typer.main import get_command

from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.completion.kinds import kinds_of, values_of
from tradebot_ops.cli.completion.shape import Command, Parameter
from tradebot_ops.cli.main import app


def command(name: str) -> Command:
    """The command that is called so today; ``tradebot`` itself, without those below, for no name."""
    if name:
        return _command([name], load(name))
    root = get_command(app)
    return Command(parameters=tuple(_parameter([], each) for each in root.params))


def _command(path: Sequence[str], found: Any) -> Command:
    below = {name: _command([*path, name], each) for name, each in getattr(found, "commands", {}).items()}
    parameters = tuple(_parameter(path, each) for each in found.params)
    return Command(found.get_short_help_str(80), found.hidden, parameters, below)


def _parameter(path: Sequence[str], found: Any) -> Parameter:
    option = found.param_type_name == "option"
    return Parameter(
        names=(*found.opts, *found.secondary_opts) if option else (),
        about=(getattr(found, "help", None) or "") if option else "",
        takes_value=not option or takes_value(found),
        nargs=found.nargs,
        hidden=bool(getattr(found, "hidden", False)),
        kinds=kinds_of(path, found),
        values=values_of(path, found),
    )


def takes_value(option: Any) -> bool:
    return not getattr(option, "is_flag", False) and not getattr(option, "count", False)
