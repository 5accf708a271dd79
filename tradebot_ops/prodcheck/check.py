"""A check, declared once beside the pure function that judges: facts in, verdict out.

    @check(
        "MON-02",
        "Every target is scraped",
        asks=(prometheus.targets,),
        severity=Severity.CRITICAL,
        source="brief: Prometheus targets are up",
        needs=("MON-01",),
        anchor="config/prometheus/prometheus.yml",
        remedy="tradebot monitoring targets",
    )
    def targets_up(targets: tuple[Target, ...]) -> Verdict:
        \"\"\"What Prometheus does not scrape can neither be seen on a panel nor alert.\"\"\"
        down = [target for target in targets if target.health != "up"]
        if down:
            return failed(f"{len(down)} of {len(targets)} targets are not up.", observed=…, expected="all up")
        return passed(f"All {len(targets)} targets are up.")

The function sees values only: a fact that could not be learnt never reaches it, and the runner reports ``error`` or
``skip`` instead. Its docstring is what ``prod-check explain`` and the documentation show.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from tradebot_ops.facts.fact import Fact, Skip
from tradebot_ops.model import Level
from tradebot_ops.text.sentences import agreed

_NOBODY: Mapping[str, Level] = {}


class Severity(IntEnum):
    """How much a check weighs in the score."""

    MINOR = 1
    MAJOR = 2
    CRITICAL = 3


@dataclass(frozen=True)
class Verdict:
    """Answer of a judge. ``message`` is a sentence; ``evidence`` is what was asked and the raw answer.

    ``hint`` and ``anchor`` stand in for the check's own where this case has a better one.
    """

    level: Level
    message: str
    observed: str = ""
    expected: str = ""
    evidence: str = ""
    hint: str = ""
    anchor: str = ""
    skip: Skip | None = None


def passed(message: str, *, observed: str = "", expected: str = "", evidence: str = "") -> Verdict:
    return Verdict(Level.PASS, agreed(message), agreed(observed), agreed(expected), evidence)


def warned(
    message: str, *, observed: str = "", expected: str = "", evidence: str = "", hint: str = "", anchor: str = ""
) -> Verdict:
    return Verdict(Level.WARN, agreed(message), agreed(observed), agreed(expected), evidence, hint, anchor)


def failed(
    message: str, *, observed: str = "", expected: str = "", evidence: str = "", hint: str = "", anchor: str = ""
) -> Verdict:
    return Verdict(Level.FAIL, agreed(message), agreed(observed), agreed(expected), evidence, hint, anchor)


def skipped(reason: Skip, why: str) -> Verdict:
    """There is nothing to judge, for a reason of the closed list; ``why`` is a sentence."""
    return Verdict(Level.SKIP, agreed(why), skip=reason)


def unseen(message: str, *, observed: str, expected: str, evidence: str, hint: str) -> Verdict:
    """Where a fact says itself that a part of it could not be learnt, and nothing else is wrong."""
    return Verdict(Level.ERROR, agreed(message), agreed(observed), agreed(expected), evidence, hint)


def unjudged(value: object) -> NotImplementedError:
    """Error of a judge that waits for its part of the project: a fact that is known too early passes nothing."""
    return NotImplementedError(f"nothing is known yet about how to judge {value!r}")


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of several about the same check: the worst, with the messages of all that are as bad."""
    order = [Level.SKIP, Level.PASS, Level.INFO, Level.WARN, Level.FAIL, Level.ERROR]
    found = sorted(verdicts, key=lambda verdict: -order.index(verdict.level))
    first = found[0]
    same = [verdict for verdict in found if verdict.level is first.level]
    if len(same) == 1:
        return first
    return Verdict(
        first.level,
        " ".join(verdict.message for verdict in same),
        "; ".join(verdict.observed for verdict in same if verdict.observed),
        "; ".join(dict.fromkeys(verdict.expected for verdict in same if verdict.expected)),
        "\n".join(verdict.evidence for verdict in same if verdict.evidence),
        next((verdict.hint for verdict in same if verdict.hint), ""),
        next((verdict.anchor for verdict in same if verdict.anchor), ""),
        first.skip,
    )


@dataclass(frozen=True, eq=False)
class Check:
    """``needs`` names checks without which this one cannot be judged. ``anchor`` is the file (``FILE`` or
    ``FILE:LINE`` or ``FILE#text``) that one would edit. ``remedy`` is what to type. ``at_most`` lowers the worst level
    in an environment: ``{"dev": Level.WARN}``. ``fix`` is a command that is safe to run by itself.
    """

    id: str
    title: str
    judge: Callable[..., Verdict]
    asks: tuple[Fact[Any], ...]
    severity: Severity
    source: str
    anchor: str
    remedy: str
    needs: tuple[str, ...] = ()
    at_most: Mapping[str, Level] = field(default_factory=dict)
    fix: str = ""

    @property
    def why(self) -> str:
        """Why it matters, and how it proves it."""
        return " ".join((self.judge.__doc__ or "").split())

    def __call__(self, *values: Any) -> Verdict:
        """Judge these values: pure, and what unit tests call."""
        return self.judge(*values)


def check(
    id_: str,
    title: str,
    *,
    asks: Sequence[Fact[Any]],
    severity: Severity = Severity.MAJOR,
    source: str,
    anchor: str,
    remedy: str,
    needs: Sequence[str] = (),
    at_most: Mapping[str, Level] = _NOBODY,
    fix: str = "",
) -> Callable[[Callable[..., Verdict]], Check]:
    """Declare a function as the judge of a check."""

    def declare(judge: Callable[..., Verdict]) -> Check:
        return Check(id_, title, judge, tuple(asks), severity, source, anchor, remedy, tuple(needs), dict(at_most), fix)

    return declare


@dataclass(frozen=True)
class Stage:
    """``prefix`` begins the ids of its checks; ``promise`` is one sentence."""

    number: int
    prefix: str
    title: str
    promise: str
    checks: tuple[Check, ...] = ()
