"""The causes of now, ranked, in words: the verdict, at most three with their evidence, and what was ruled out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradebot_ops.diagnostics import onset, symptoms
from tradebot_ops.diagnostics.cause import Cause, Grade, Judged, best, ranked
from tradebot_ops.facts import moment
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, Unknown
from tradebot_ops.model import Section, Table
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age
from tradebot_ops.text.sentences import agreed

MOST = 3
_WORDS = {Grade.SUPPORTED: "supported", Grade.LIKELY: "likely", Grade.INCONCLUSIVE: "inconclusive"}


@dataclass(frozen=True)
class Explanation:
    """``found`` are the causes that were not ruled out, the best first; ``ruled_out`` names the others. ``missing`` is
    why something could not be looked at, each reason once; ``since`` the first sign of the best cause, ``now`` the
    time of this look.
    """

    symptoms: tuple[str, ...]
    found: tuple[Judged, ...]
    ruled_out: tuple[str, ...]
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    now: datetime | None = None

    @property
    def best(self) -> tuple[Judged, ...]:
        return best(self.found)

    @property
    def unseen(self) -> tuple[str, ...]:
        return tuple(each.cause.name for each in self.found if each.grade is Grade.INCONCLUSIVE)

    @property
    def data(self) -> dict[str, Any]:
        return {
            "verdict": lines(self)[0],
            "best": [each.cause.name for each in self.best],
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
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
            "missing": list(self.missing),
        }


def explained(facts: Facts, causes: Sequence[Cause]) -> Explanation:
    """Ask all that any cause wants to know at once, then judge."""
    asks = tuple(dict.fromkeys((*symptoms.ASKS, *onset.ASKS, *(fact for cause in causes for fact in cause.asks))))
    facts.start(asks)
    return judged({fact: facts.value(fact) for fact in asks}, causes)


def judged(values: Mapping[Fact[Any], Any], causes: Sequence[Cause]) -> Explanation:
    """Pure."""
    seen = symptoms.symptoms(values)
    found = tuple(ranked(causes, values, seen))
    kept = {each.cause.name for each in found}
    wanted = dict.fromkeys(fact for each in found if each.unseen for fact in each.cause.asks)
    missing = dict.fromkeys(value.why for fact in wanted if isinstance(value := values.get(fact), Unknown))
    out = tuple(cause.name for cause in causes if cause.name not in kept)
    since = min((at for each in best(found) if (at := onset.first_sign(each, values))), default=None)
    now = values.get(moment.now)
    return Explanation(seen, found, out, tuple(missing), since, now if isinstance(now, datetime) else None)


def lines(why: Explanation) -> tuple[str, ...]:
    """The verdict: what is wrong and how sure that is, and what to type."""
    first = why.best
    if not first:
        return _inconclusive(why)
    sure = _WORDS[first[0].grade]
    if why.since is not None and why.now is not None:
        sure += f"; first sign {age(why.now - why.since)} ago"
    names = " Or: ".join(each.cause.title for each in first[:MOST])
    verdict = f"Several causes fit equally well ({sure}): {names}" if len(first) > 1 else f"{names} ({sure})"
    return (verdict, f"Next: {first[0].cause.mend}")


def _inconclusive(why: Explanation) -> tuple[str, ...]:
    """With what would have to be seen, where something could not be."""
    missing = (f"Missing: {' '.join(why.missing[:MOST])}",) if why.missing else ()
    if why.symptoms:
        return (f"Inconclusive: no known cause explains what is wrong: {few(why.symptoms)}.", *missing)
    if why.unseen:
        return (agreed(f"Inconclusive: {len(why.unseen)} causes could not be examined: {few(why.unseen)}."), *missing)
    return ("No cause is needed: nothing is wrong.",)


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
