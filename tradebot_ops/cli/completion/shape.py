"""A command, its options and its arguments, as far as the Tab key needs them: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The kind of names of files, which the shell itself knows.
FILES = "files"


@dataclass(frozen=True)
class Parameter:
    """An option, which has ``names``, or an argument, which has none; ``nargs`` below 0 lets it be repeated.

    ``kinds`` and ``values`` are those of ``kinds.py``.
    """

    names: tuple[str, ...] = ()
    about: str = ""
    takes_value: bool = True
    nargs: int = 1
    hidden: bool = False
    kinds: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def is_option(self) -> bool:
        return bool(self.names)


@dataclass(frozen=True)
class Command:
    """One command, and those below it by name."""

    about: str = ""
    hidden: bool = False
    parameters: tuple[Parameter, ...] = ()
    commands: Mapping[str, "Command"] = field(default_factory=dict)
