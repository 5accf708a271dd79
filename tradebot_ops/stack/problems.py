"""Problems of a stack description: collected while reading, reported to the operator all at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.text.sentences import agreed


class Code(StrEnum):
    """Causes of an invalid stack description; the first two digits are exit code 8."""

    FILE = "TB-0810"
    YAML = "TB-0811"
    SCHEMA = "TB-0812"
    KEY = "TB-0813"
    VARIABLE = "TB-0814"
    VALUE = "TB-0815"
    MISSING_FILE = "TB-0816"
    REFERENCE = "TB-0817"
    CYCLE = "TB-0818"
    PORT = "TB-0819"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: the file, its line (from 1, 0 for the whole file) and its key path."""

    file: Path
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{where}: {self.path}" if self.path else where


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to repair: ``message`` is a clause that follows the key, ``hint`` says what to write."""

    code: Code
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.message}" if self.place.path else f"{self.place}: {self.message}"


@dataclass
class Problems:
    """Collects problems so that one run names them all."""

    found: list[Problem] = field(default_factory=list)

    def add(self, code: Code, place: Place, message: str, hint: str = "") -> None:
        problem = Problem(code, place, message, hint)
        if problem not in self.found:  # an anchor used twice would say the same thing twice
            self.found.append(problem)

    def raise_if_any(self) -> None:
        """Raise one ``OpsError`` for everything found; nothing happens when nothing was."""
        if not self.found:
            return
        first = self.found[0]
        if len(self.found) == 1:
            raise OpsError(f"{first}.", code=first.code, hint=first.hint)
        detail = tuple(f"{problem}." + (f" {problem.hint}" if problem.hint else "") for problem in self.found)
        raise OpsError(
            agreed(f"The stack description has {len(self.found)} problems."),
            code=first.code,
            hint="Repair the lines named above, then check with: tradebot config validate",
            detail=detail,
        )


def listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
