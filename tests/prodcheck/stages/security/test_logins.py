"""Who gets in with what everybody knows, at every level."""

import pytest

from tradebot_ops.facts.access.logins import Attempt, Strength
from tradebot_ops.facts.metrics.grafana import Entry
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.logins import guarded, known

SHUT, OPEN = Attempt("Redis without a password", False, "NOAUTH"), Attempt("Grafana admin/admin", True, "logged in")
STRONG, SHORT, DULL = Strength("a", 32, 140.0), Strength("b", 15, 58.0), Strength("c", 32, 20.0)


@pytest.mark.parametrize(
    ("attempts", "strengths", "environment", "level", "observed"),
    [
        ((SHUT,), (STRONG,), "prod", Level.PASS, "1 default login refused"),
        ((SHUT, OPEN), (STRONG,), "dev", Level.FAIL, "Grafana admin/admin"),
        ((SHUT,), (STRONG, SHORT), "dev", Level.WARN, "b: 15 letters"),
        ((SHUT,), (STRONG, DULL), "staging", Level.WARN, "c: 32 letters, 20 bits"),
        ((SHUT,), (STRONG, DULL), "prod", Level.FAIL, "c: 32 letters, 20 bits"),
    ],
)
def test_logins(
    attempts: tuple[Attempt, ...], strengths: tuple[Strength, ...], environment: str, level: Level, observed: str
) -> None:
    verdict = guarded(attempts, strengths, environment)
    assert verdict.level is level
    assert observed in verdict.observed


@pytest.mark.parametrize(
    ("entry", "edits", "level", "observed"),
    [
        (Entry(401, "false", "false"), False, Level.PASS, "only looks"),
        (Entry(200, "false", "false"), False, Level.FAIL, "strangers are let in"),
        (Entry(401, "true", "false"), False, Level.FAIL, "strangers are let in"),
        (Entry(401, "false", "true"), False, Level.FAIL, "anybody may sign up"),
        (Entry(401, "false", ""), False, Level.FAIL, "anybody may sign up"),
        (Entry(401, "false", "false"), True, Level.FAIL, "a new user may edit dashboards"),
    ],
)
def test_grafana(entry: Entry, edits: bool, level: Level, observed: str) -> None:
    verdict = known(entry, edits)
    assert verdict.level is level
    assert observed in verdict.observed
