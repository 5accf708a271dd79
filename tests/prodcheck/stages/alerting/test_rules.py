"""Every level of the checks on the alert rules."""

from collections.abc import Mapping
from typing import Any

import pytest

from tradebot_ops.clients.prometheus import Rule
from tradebot_ops.facts.alerting.rule_tests import Proof
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.alerting.rules import BRIEF, complete, loaded, proved

GATE = Answer("prometheus", ok=True, detail="ready")


def rule(name: str, severity: str = "warning", health: str = "ok", kind: str = "alerting") -> Rule:
    return Rule(name, kind, "g", "f.yml", "up", health, "division by zero", "inactive", {"severity": severity}, {}, 60)


SEVERE = [rule(f"More{place}", severity) for place, severity in enumerate(("critical", "performance", "info"))]
EVERY = (*map(rule, BRIEF), *SEVERE)


@pytest.mark.parametrize(
    ("rules", "level", "message"),
    [
        (EVERY, Level.PASS, "Every alert of the brief is loaded."),
        (EVERY[1:], Level.FAIL, "Alerts of the brief are not loaded: ServiceDown."),
        (EVERY[:-1], Level.FAIL, "No alert has the severity info."),
        ((*EVERY, rule("Sick", health="err")), Level.FAIL, "Prometheus cannot evaluate Sick."),
        ((*EVERY, rule("r", health="err", kind="recording")), Level.FAIL, "Prometheus cannot evaluate r."),
        ((), Level.FAIL, None),
    ],
)
def test_loaded(rules: tuple[Rule, ...], level: Level, message: str | None) -> None:
    verdict = loaded(rules, GATE)
    assert verdict.level is level
    assert message in (None, verdict.message)


def test_the_eighteen_alone_are_too_few() -> None:
    severities = ("critical", "warning", "performance", "info")
    rules = tuple(rule(name, severities[place % 4]) for place, name in enumerate(BRIEF))
    assert loaded(rules, GATE).message == "Only 18 alerts are loaded."
    assert len(set(BRIEF)) == 18


SOUND: dict[str, Any] = {
    "alert": "A",
    "expr": "up == 0",
    "for": "1m",
    "labels": {"severity": "critical"},
    "annotations": {"summary": "s", "description": "d", "runbook_url": "https://x/docs/runbooks/A.md"},
}
PAGES: Mapping[str, tuple[str, ...]] = {"A": ("A", "Mend it now")}


def noted(**more: str) -> dict[str, Any]:
    return {"annotations": SOUND["annotations"] | more}


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({}, ""),
        ({"for": ""}, "A: no for"),
        ({"for": "", "expr": "increase(x[5m]) > 0"}, ""),
        ({"for": "", "expr": "vector(1)", "labels": {"severity": "none"}}, ""),
        ({"labels": {}}, "A: severity missing"),
        ({"labels": {"severity": "page"}}, "A: severity page"),
        (noted(summary=" "), "A: no summary"),
        (noted(description=""), "A: no description"),
        (noted(runbook_url=""), "A: runbook missing"),
        (noted(runbook_url="https://x/docs/runbooks/B.md"), "A: runbook https://x/docs/runbooks/B.md"),
        (noted(runbook_url="https://x/docs/runbooks/A.md#mend-it-now"), ""),
        (noted(runbook_url="https://x/docs/runbooks/A.md#gone"), "A: its runbook has no heading gone"),
    ],
)
def test_complete(change: dict[str, Any], lacking: str) -> None:
    verdict = complete(({"groups": [{"rules": [SOUND | change, {"record": "r", "expr": "up"}]}]},), PAGES)
    assert verdict.level is (Level.WARN if lacking else Level.PASS)
    assert verdict.observed == (lacking or "1 alert, each with a runbook")


def test_proved() -> None:
    assert proved(Proof(True, "SUCCESS", 10, ())).level is Level.PASS
    failing = proved(Proof(False, "  FAILED:\n    alertname: A\n    got: []\n", 10, ()))
    assert (failing.level, failing.observed) == (Level.FAIL, "FAILED:, got: []")
    untested = proved(Proof(True, "SUCCESS", 10, ("A",)))
    assert (untested.level, untested.message) == (Level.FAIL, "Alerts without both tests: A.")
