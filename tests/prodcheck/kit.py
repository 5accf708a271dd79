"""Checks and stages made for tests."""

from collections.abc import Sequence
from typing import Any

from tradebot_ops.facts.fact import Fact
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Check, Severity, Stage, Verdict


def says(level: Level, message: str = "Said.") -> Verdict:
    return Verdict(level, message, observed="o", expected="e")


def make_check(
    id_: str = "AAA-01", verdict: Verdict | None = None, asks: Sequence[Fact[Any]] = (), **declared: Any
) -> Check:
    """A check that always says the same, whatever its facts are."""
    given: dict[str, Any] = {
        "severity": Severity.MAJOR,
        "source": "a test",
        "anchor": "compose.yaml",
        "remedy": "tradebot up",
    }
    answer = verdict or says(Level.PASS)
    return Check(id_, f"title of {id_}", lambda *values: answer, tuple(asks), **given | declared)


def make_stages(*checks: Check) -> tuple[Stage, ...]:
    """One stage for each prefix, in the order of the checks."""
    prefixes = list(dict.fromkeys(check.id.partition("-")[0] for check in checks))
    return tuple(
        Stage(number, prefix, prefix.title(), "promise", tuple(c for c in checks if c.id.startswith(prefix)))
        for number, prefix in enumerate(prefixes, 1)
    )
