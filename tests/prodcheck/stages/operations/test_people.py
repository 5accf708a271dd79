"""Judges of stage 10 about people and pages, at every level."""

from datetime import UTC, datetime, timedelta

import pytest

from tradebot_ops.facts.project.typed_commands import StaleCommand
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.operations.people import documented, runbooks_complete, trained
from tradebot_ops.records import Attestation

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULES = (
    {"groups": [{"rules": [
        {"alert": "RedisDown", "labels": {"severity": "critical"}},
        {"alert": "SlowQueries", "labels": {"severity": "warning"}},
        {"record": "slo:api_up:ratio_avg1h"},
    ]}]},
)  # fmt: skip
PAGE = "# RedisDown\n" + 20 * "Look at the log of Redis. "
STALE = StaleCommand("RedisDown", "diag redis", "No such command 'diag'.")


def attested(name: str, days: float) -> dict[str, Attestation]:
    return {name: Attestation(name, "maria", (NOW - timedelta(days=days)).isoformat(), "with a drill")}


@pytest.mark.parametrize(
    ("days", "level", "message"),
    [
        (10, Level.PASS, "maria attests that the team knows"),
        (180, Level.PASS, "maria attests"),
        (181, Level.FAIL, "The word of maria is older than 180 days"),
        (None, Level.FAIL, "Nobody attests that the team knows"),
    ],
)
def test_trained(days: float | None, level: Level, message: str) -> None:
    verdict = trained({} if days is None else attested("team-trained", days), NOW)
    assert verdict.level is level
    assert message in verdict.message


def test_an_untrained_team_fails_in_production_only() -> None:
    assert dict(trained.at_most) == {"dev": Level.WARN, "staging": Level.WARN}


@pytest.mark.parametrize(
    ("rules", "texts", "stale", "level", "message"),
    [
        (RULES, {"RedisDown": PAGE}, (), Level.PASS, "has a runbook"),
        (RULES, {"RedisDown": PAGE}, (STALE,), Level.WARN, "does not have: RedisDown"),
        (RULES, {"RedisDown": "# RedisDown\n"}, (), Level.FAIL, "No runbook, or an empty one: RedisDown"),
        (RULES, {}, (STALE,), Level.FAIL, "No runbook, or an empty one: RedisDown"),
        ((), {"RedisDown": PAGE}, (), Level.FAIL, "No alert is critical"),
    ],
)
def test_runbooks(
    rules: tuple[dict[str, object], ...], texts: dict[str, str], stale: tuple[StaleCommand, ...], level: Level,
    message: str,
) -> None:  # fmt: skip
    verdict = runbooks_complete(rules, texts, stale)
    assert verdict.level is level
    assert message in verdict.message


@pytest.mark.parametrize(
    ("days", "stale", "level", "message"),
    [
        (10, (), Level.PASS, "maria attests that a person followed"),
        (None, (), Level.FAIL, "Nobody attests"),
        (10, (STALE,), Level.FAIL, "RedisDown: commands that this version does not have"),
    ],
)
def test_documented(days: float | None, stale: tuple[StaleCommand, ...], level: Level, message: str) -> None:
    verdict = documented({} if days is None else attested("docs-reviewed", days), NOW, stale)
    assert verdict.level is level
    assert message in verdict.message


def test_documentation_warns_everywhere() -> None:
    assert set(documented.at_most.values()) == {Level.WARN}
    assert set(documented.at_most) == {"dev", "staging", "prod"}
