"""Every level of the checks on what fires, what is kept quiet, and what is noise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradebot_ops.clients.alertmanager import HeldAlert, Matcher, Silence
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.alerting.now import MOST_A_DAY, MOST_OF_ONE, quiet, rare

GATE = Answer("alertmanager", ok=True, detail="ready")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def held(severity: str = "critical", state: str = "active", silenced: tuple[str, ...] = ()) -> HeldAlert:
    return HeldAlert("RedisDown", state, {"severity": severity}, {}, NOW, NOW, ("store",), silenced, (), "f")


SILENCE = Silence(
    "s1", "active", (Matcher("alertname", "X"),), NOW, NOW + timedelta(hours=2), "ann", "load test"
)  # fmt: skip


@pytest.mark.parametrize(
    ("alerts", "silences", "level"),
    [
        ((), (), Level.PASS),
        ((), (SILENCE,), Level.PASS),
        ((held("warning"),), (), Level.PASS),
        ((held(),), (), Level.FAIL),
        ((held(state="unprocessed"),), (), Level.FAIL),
        # What a cause inhibits is told of by the cause.
        ((held(state="suppressed"),), (), Level.PASS),
        ((held(state="suppressed", silenced=("s1",)),), (SILENCE,), Level.WARN),
        ((), (replace(SILENCE, ends_at=NOW + timedelta(days=8)),), Level.WARN),
        ((), (replace(SILENCE, author=" "),), Level.WARN),
        ((), (replace(SILENCE, comment=""),), Level.WARN),
        ((), (replace(SILENCE, comment="", state="expired"),), Level.PASS),
    ],
)
def test_quiet(alerts: tuple[HeldAlert, ...], silences: tuple[Silence, ...], level: Level) -> None:
    assert quiet(alerts, silences, NOW, GATE).level is level


def test_what_fires_is_named_with_its_runbook() -> None:
    verdict = quiet((held(), held()), (), NOW, GATE)
    assert verdict.message == "Critical alerts fire: RedisDown."
    assert verdict.hint == "tradebot runbook show RedisDown"


def stored(name: str, fingerprint: str, minutes_ago: float, status: str = "firing") -> dict[str, Any]:
    starts = NOW - timedelta(minutes=minutes_ago)
    return {"name": name, "fingerprint": fingerprint, "status": status, "starts_at": starts.isoformat()}


def many(count: int, *, same: bool, name: str = "A") -> tuple[dict[str, Any], ...]:
    return tuple(stored(name, "f" if same else f"f{place}", place) for place in range(count))


def test_rare() -> None:
    assert rare((), NOW).level is Level.PASS
    assert rare(many(MOST_A_DAY, same=False), NOW).level is Level.PASS
    assert rare(many(MOST_A_DAY + 1, same=False), NOW).message == "There are more alerts than anybody reads."
    assert rare(many(MOST_OF_ONE, same=True), NOW).level is Level.PASS
    assert rare(many(MOST_OF_ONE + 1, same=True), NOW).message == "Alerts come and go: A."


def test_what_fires_by_design_yesterdays_and_ends_do_not_count() -> None:
    assert rare(many(99, same=False, name="SyntheticAlert"), NOW).observed == "0 within a day"
    assert rare((stored("A", "f", 24 * 60 + 1),), NOW).observed == "0 within a day"
    pair = (stored("A", "f", 3), stored("A", "f", 3, "resolved"))
    assert rare(pair, NOW).observed == "1 within a day"
