"""A topic of diagnosis: what it asks for, and pure functions that turn the answers into a table and problems.

    TOPIC = Topic("queue", "Queue")

    @look(asks=(queue.queue, moment.now))
    def waiting(found: Queue, now: datetime) -> View:
        return View(rows=…, problems=…)

A look sees values only. Where one of its facts could not be learnt, the runner says so in its place, and no look is
taken for healthy that was never taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tradebot_ops.facts.fact import Fact
from tradebot_ops.model import Level, Table
from tradebot_ops.text.sentences import agreed


@dataclass(frozen=True)
class Problem:
    """A problem in one sentence, and what to type next. ``level`` is WARN or FAIL."""

    level: Level
    message: str
    hint: str


def wrong(message: str, hint: str) -> Problem:
    return Problem(Level.FAIL, agreed(message), hint)


def doubtful(message: str, hint: str) -> Problem:
    return Problem(Level.WARN, agreed(message), hint)


@dataclass(frozen=True)
class View:
    """Result of one look: names and values, a table, or both, and what is wrong with them."""

    values: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class Look:
    """One pure function of a topic, in the order of its file."""

    name: str
    asks: tuple[Fact[Any], ...]
    judge: Callable[..., View]

    def __call__(self, *values: Any) -> View:
        """Judge these values: pure, and what unit tests call."""
        view = self.judge(*values)
        return replace(view, values=tuple((name, agreed(value)) for name, value in view.values))


def look(*, asks: Sequence[Fact[Any]]) -> Callable[[Callable[..., View]], Look]:
    """Declare a function as a look of the topic in whose file it stands."""

    def declare(judge: Callable[..., View]) -> Look:
        return Look(judge.__name__, tuple(asks), judge)

    return declare


@dataclass(frozen=True)
class Topic:
    """``name`` is what is typed after ``diag``; ``title`` heads its section."""

    name: str
    title: str
    order: int = 100
    looks: tuple[Look, ...] = field(default=())
