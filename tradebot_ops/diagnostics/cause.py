"""A cause of trouble as a rule: signs that must be seen, signs that rule it out, what it explains, what mends it.

    CAUSE = Cause(
        "redis-down",
        "Redis does not run.",
        signs=(stopped("redis"),),
        explains=("redis", "api", "worker", "queue"),
        depth=3,
        mend="tradebot start redis",
    )

A rule and no guess: a sign is one pure function of facts that quotes what it saw. What could not be looked at is no
evidence, neither for nor against.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from tradebot_ops.facts.fact import Fact, NotHere, Unknown
from tradebot_ops.text.sentences import agreed

Values = Mapping[Fact[Any], Any]


class Grade(IntEnum):
    """How sure a cause is: every sign seen and none against it; something of it could not be looked at; ruled out."""

    RULED_OUT = 0
    INCONCLUSIVE = 1
    LIKELY = 2
    SUPPORTED = 3


@dataclass(frozen=True, eq=False)
class Sign:
    """``see`` gets the values of ``asks`` and returns what it saw, in words; empty when it is not there."""

    asks: tuple[Fact[Any], ...]
    see: Callable[..., str]

    def seen(self, values: Values) -> str | None:
        """Signs that were seen; empty when it is not there, None when it could not be looked at."""
        known = [values.get(fact) for fact in self.asks]
        if any(value is None or isinstance(value, Unknown) for value in known):
            return None
        if any(isinstance(value, NotHere) for value in known):
            return ""
        return agreed(self.see(*known))


def sign(*asks: Fact[Any]) -> Callable[[Callable[..., str]], Sign]:
    """Declare a function as a sign."""
    return lambda see: Sign(asks, see)


@dataclass(frozen=True, eq=False)
class _Either(Sign):
    signs: tuple[Sign, ...] = ()

    def seen(self, values: Values) -> str | None:
        found = [each.seen(values) for each in self.signs]
        return next((text for text in found if text), None if None in found else "")


def either(*signs: Sign) -> Sign:
    """Several ways to see the same: one that was seen is enough, and all must have been looked at to miss it."""
    return _Either(tuple(dict.fromkeys(fact for each in signs for fact in each.asks)), str, signs)


@dataclass(frozen=True)
class Cause:
    """``depth`` is its place in the graph of dependencies: 0 is the API, 1 a worker, 2 the monitoring, 3 a store, 4 the
    host. ``explains`` are the services and the words of ``symptoms`` that it accounts for.
    """

    name: str
    title: str
    signs: tuple[Sign, ...]
    explains: tuple[str, ...]
    depth: int
    mend: str
    against: tuple[Sign, ...] = ()
    #: What lies deeper and looks the same from here: as long as one of them was not looked at, nothing is concluded.
    rivals: tuple[Sign, ...] = ()
    #: It slows everything and breaks nothing by itself: what is seen to be broken comes before it, unless this explains
    #: more.
    background: bool = False
    #: Once this is sure, whatever else it explains is its consequence, and no cause of its own.
    total: bool = False

    @property
    def asks(self) -> tuple[Fact[Any], ...]:
        return tuple(dict.fromkeys(fact for each in (*self.signs, *self.against, *self.rivals) for fact in each.asks))


@dataclass(frozen=True)
class Judged:
    """A cause against the facts: ``evidence`` quotes what speaks for it, ``unseen`` counts what nobody could look at,
    ``explained`` are the symptoms of now that it accounts for."""

    cause: Cause
    grade: Grade
    evidence: tuple[str, ...] = ()
    unseen: int = 0
    explained: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, ...]:
        """More is better: how sure, how many kinds of symptoms it explains and how many in all, whether it is seen
        directly, how deep it lies, how little it needs to assume."""
        kinds = {_kind(symptom) for symptom in self.explained}
        direct = not self.cause.background
        return (int(self.grade), len(kinds), int(direct), len(self.explained), self.cause.depth, -len(self.cause.signs))


def _kind(symptom: str) -> str:
    return symptom.partition(":")[0]


def judge(cause: Cause, values: Values, symptoms: Sequence[str]) -> Judged:
    """Pure. One sign that is not there, or one against it or of a rival that is, rules a cause out."""
    found = [each.seen(values) for each in cause.signs]
    against = [each.seen(values) for each in cause.against]
    rivals = [each.seen(values) for each in cause.rivals]
    if "" in found or any(against) or any(rivals):
        return Judged(cause, Grade.RULED_OUT)
    evidence = tuple(text for text in found if text)
    unseen = sum(text is None for text in (*found, *against, *rivals))
    explained = tuple(symptom for symptom in symptoms if _kind(symptom) in cause.explains)
    # Half of the evidence for something that would explain nothing is none.
    if not evidence or None in rivals or (unseen and not explained):
        return Judged(cause, Grade.INCONCLUSIVE, unseen=unseen)
    return Judged(cause, Grade.LIKELY if unseen else Grade.SUPPORTED, evidence, unseen, explained)


def ranked(causes: Sequence[Cause], values: Values, symptoms: Sequence[str]) -> list[Judged]:
    """All that are not ruled out, the best first, without what follows from a total one."""
    judged = (judge(cause, values, symptoms) for cause in causes)
    found = sorted(
        (each for each in judged if each.grade), key=lambda each: (*(-part for part in each.rank), each.cause.name)
    )
    if not (found and found[0].cause.total and found[0].grade is Grade.SUPPORTED):
        return found
    own = set(found[0].explained)
    return [found[0], *(each for each in found[1:] if not each.evidence or set(each.explained) - own)]


def best(found: Sequence[Judged]) -> tuple[Judged, ...]:
    """The first and whatever ties with it; empty where nothing has evidence."""
    sure = [each for each in found if each.grade >= Grade.LIKELY]
    return tuple(each for each in sure if each.rank == sure[0].rank)
