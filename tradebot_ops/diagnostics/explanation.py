"""The causes of now, ranked, in words: the verdict, at most three with their evidence, and what was ruled out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.diagnostics import symptoms
from tradebot_ops.diagnostics.cause import Cause, Grade, Judged, best, ranked
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact
from tradebot_ops.model import Section, Table
from tradebot_ops.text.lists import few

MOST = 3
_WORDS = {Grade.SUPPORTED: "supported", Grade.LIKELY: "likely", Grade.INCONCLUSIVE: "inconclusive"}


@dataclass(frozen=True)
class Explanation:
    """``found`` are the causes that were not ruled out, the best first; ``ruled_out`` names the others."""

    symptoms: tuple[str, ...]
    found: tuple[Judged, ...]
    ruled_out: tuple[str, ...]

    @property
    def best(self) -> tuple[Judged, ...]:
        return best(self.found)

    @property
    def unseen(self) -> tuple[str, ...]:
        return tuple(each.cause.name for each in self.found if each.grade is Grade.INCONCLUSIVE)

    @property
    def data(self) -> dict[str, Any]:
        return {
            "symptoms": list(self.symptoms),
            "causes": [
                {
                    "name": each.cause.name,
                    "title": each.cause.title,
                    "grade": _WORDS[each.grade],
                    "evidence": list(each.evidence),
                    "explains": list(each.explained),
                    "mend": each.cause.mend,
                }
                for each in self.found
                if each.evidence
            ],
            "ruled_out": list(self.ruled_out),
            "not_examined": list(self.unseen),
        }


def explained(facts: Facts, causes: Sequence[Cause]) -> Explanation:
    """Ask all that any cause wants to know at once, then judge."""
    asks = tuple(dict.fromkeys((*symptoms.ASKS, *(fact for cause in causes for fact in cause.asks))))
    facts.start(asks)
    return judged({fact: facts.value(fact) for fact in asks}, causes)


def judged(values: Mapping[Fact[Any], Any], causes: Sequence[Cause]) -> Explanation:
    """Pure."""
    seen = symptoms.symptoms(values)
    found = tuple(ranked(causes, values, seen))
    kept = {each.cause.name for each in found}
    return Explanation(seen, found, tuple(cause.name for cause in causes if cause.name not in kept))


def lines(why: Explanation) -> tuple[str, ...]:
    """The verdict: what is wrong and how sure that is, and what to type."""
    first = why.best
    if not first:
        if why.symptoms:
            return (f"Inconclusive: no known cause explains what is wrong: {few(why.symptoms)}.",)
        if why.unseen:
            return (f"Inconclusive: {len(why.unseen)} causes could not be examined.",)
        return ("No cause is needed: nothing is wrong.",)
    if len(first) > 1:
        names = " Or: ".join(each.cause.title for each in first[:MOST])
        return (f"Several causes fit equally well ({_WORDS[first[0].grade]}): {names}", f"Next: {first[0].cause.mend}")
    return (f"{first[0].cause.title} ({_WORDS[first[0].grade]})", f"Next: {first[0].cause.mend}")


def section(why: Explanation) -> Section | None:
    """At most three causes with their evidence; None where none has any."""
    shown = [each for each in why.found if each.evidence][:MOST]
    if not shown:
        return None
    # The command stays in one piece, to be copied; what is talkative comes last, where it may fold.
    rows = tuple(
        (_WORDS[each.grade], each.cause.mend, f"{each.cause.title} Seen: {'; '.join(each.evidence)}.") for each in shown
    )
    more = [f"Ruled out: {few(why.ruled_out, 5)}."] if why.ruled_out else []
    more += [f"Not examined, because of what is missing: {few(why.unseen, 5)}."] if why.unseen else []
    return Section("Probable causes", tuple(more), (Table(("how sure", "next", "cause and evidence"), rows),))
