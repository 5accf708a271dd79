"""One line of a maintenance list: who looks at it, and the judgement on what they saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tradebot_ops.context import Ops
from tradebot_ops.model import Finding, Level, Report

#: A look that saw nothing wrong, or could not look.
QUIET = frozenset({Level.PASS, Level.INFO, Level.SKIP})


class State(StrEnum):
    """How an item ended. ``SKIPPED``: nobody could look, or it is for a person alone."""

    DONE = "done"
    FOUND = "found"
    SKIPPED = "skipped"


def _findings(report: Report) -> Sequence[Finding]:
    return report.findings


@dataclass(frozen=True)
class Look:
    """A command whose report is judged: ``typed`` is what a person would type to see the same."""

    typed: str
    ask: Callable[[Ops], Report]
    judge: Callable[[Report], Sequence[Finding]] = _findings


@dataclass(frozen=True)
class Item:
    """``title`` in the owner's words; ``checks`` are ids of prod-check or patterns of them; ``person`` what is left for
    a person, with what they type.
    """

    title: str
    checks: tuple[str, ...] = ()
    looks: tuple[Look, ...] = ()
    person: str = ""
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routine:
    """A list, and how long the owner gives it."""

    time: str
    items: tuple[Item, ...]


def state_of(seen: Sequence[Finding]) -> State:
    """Found if anybody found something, done if anybody looked."""
    if any(each.level not in QUIET for each in seen):
        return State.FOUND
    return State.DONE if any(each.level is not Level.SKIP for each in seen) else State.SKIPPED
