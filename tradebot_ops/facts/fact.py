"""A fact: one question about the running stack, with its own deadline, asked once however many want to know.

    @fact(seconds=5)
    def targets(ops: Ops) -> tuple[Target, ...]:
        return tuple(ops.prometheus.targets())

    @fact(of=(targets, replicas))
    def unscraped(ops: Ops, targets: tuple[Target, ...], replicas: tuple[Instance, ...]) -> tuple[str, ...]: ...

``Facts`` asks them in parallel. Where a fact could not be learnt the value says why: ``Unknown`` (nobody could look) or
``NotHere`` (there is nothing to look at, such as containers on an engine without them). What depends on such a fact
gets the same value and is not asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError

T = TypeVar("T")

#: Seconds that one question may take unless its fact says otherwise.
SECONDS = 5.0


class Skip(StrEnum):
    """Why something is not looked at: a closed list, so that no skip hides a fault."""

    PREREQUISITE = "prerequisite"
    PROFILE = "not in this profile"
    ADAPTER = "no adapter"
    OFFLINE = "offline"
    ENGINE = "not on this engine"
    LATER = "not built yet"


class Effect(StrEnum):
    """Outcome of asking a fact, so that a run can do without it."""

    NONE = "none"
    #: Writes and removes something of its own: a key, a scratch container.
    WRITES = "writes"
    #: Submits jobs of its own.
    CANARY = "canary"
    #: Raises an alert of its own.
    ALERT = "alert"


@dataclass(frozen=True)
class Unknown:
    """Nobody could look. ``why`` is one sentence, ``hint`` what to type, ``error`` what asking raised, if it did."""

    why: str
    hint: str = ""
    error: OpsError | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class NotHere:
    """There is nothing to look at, for a reason of the closed list; ``why`` is one sentence."""

    reason: Skip
    why: str


#: What became of a question.
Answer: TypeAlias = T | Unknown | NotHere


class NotApplicable(Exception):  # noqa: N818 - an answer, not an error
    """Raised by a fact where there is nothing to look at."""

    def __init__(self, reason: Skip, why: str) -> None:
        super().__init__(why)
        self.answer = NotHere(reason, why)


@dataclass(frozen=True, eq=False)
class Fact(Generic[T]):
    """A question. ``ask`` gets ``Ops`` and the values of ``of`` and ``perhaps``, in that order, and may take
    ``seconds``. It is not asked where one of ``of`` is not known; of ``perhaps`` it gets ``Unknown`` or ``NotHere``.
    """

    name: str
    ask: Callable[..., T]
    seconds: float = SECONDS
    of: Sequence["Fact[Any]"] = field(default=())
    perhaps: Sequence["Fact[Any]"] = field(default=())
    effect: Effect = Effect.NONE

    def __call__(self, ops: Ops, *values: Any) -> T:
        """Ask directly, without deadline: for tests, and for facts that are made of others."""
        return self.ask(ops, *values)

    def __repr__(self) -> str:
        return f"<fact {self.name}>"


def fact(
    *,
    seconds: float = SECONDS,
    of: Sequence[Fact[Any]] = (),
    perhaps: Sequence[Fact[Any]] = (),
    effect: Effect = Effect.NONE,
) -> Callable[[Callable[..., T]], Fact[T]]:
    """Declare a function as a fact: its name is ``<file>.<function>``."""

    def declare(ask: Callable[..., T]) -> Fact[T]:
        room = ask.__module__.rpartition(".")[2]
        return Fact(f"{room}.{ask.__name__}", ask, seconds, tuple(of), tuple(perhaps), effect)

    return declare
