"""Every level of the checks on the way of an alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import Status
from tradebot_ops.clients.prometheus import Status as PrometheusStatus
from tradebot_ops.facts.alerting.alert_delivery import Hop, Trip
from tradebot_ops.facts.alerting.alertmanager import Attempts
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Loaded
from tradebot_ops.model import Level
from tradebot_ops.monitoring.alertmanager import channels as chosen
from tradebot_ops.monitoring.alertmanager import with_channels
from tradebot_ops.prodcheck.stages.alerting.routes import arrives, channels, routed

GATE = Answer("alertmanager", ok=True, detail="ready")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OWN = (ROOT / "config/alertmanager/alertmanager.yml").read_text()
SLACK = with_channels(OWN, chosen({"ALERT_SLACK_CHANNEL": "#ops"}))
SENDER = PrometheusStatus("2.53", NOW, True, NOW, "15d", 1, ("http://alertmanager:9093",))
STATUS = Status("0.28", NOW, SLACK, True, NOW)
LOADED = Loaded("alertmanager.yml")


def to_nobody(text: str) -> str:
    """The same routes with receivers that have no channel."""
    config = yaml.safe_load(text)
    config["receivers"] = [{"name": receiver["name"]} for receiver in config["receivers"]]
    return yaml.safe_dump(config)


@pytest.mark.parametrize(
    ("sender", "status", "loaded", "level", "observed"),
    [
        ({}, {}, {}, Level.PASS, "critical -> store, critical"),
        ({"alertmanagers": ()}, {}, {}, Level.FAIL, "0 active"),
        ({}, {"config_loaded": False}, {}, Level.FAIL, "reload failed"),
        ({}, {"config": to_nobody(SLACK)}, {}, Level.FAIL, "no channel and no store"),
        ({}, {}, {"places": ("route.receiver",)}, Level.WARN, "differs: route.receiver"),
        ({}, {}, {"edited": True}, Level.WARN, "edited since it was read"),
        ({}, {"config": OWN}, {}, Level.WARN, "critical -> store"),
    ],
)
def test_routed(
    sender: dict[str, Any], status: dict[str, Any], loaded: dict[str, Any], level: Level, observed: str
) -> None:
    verdict = routed(replace(SENDER, **sender), replace(STATUS, **status), replace(LOADED, **loaded), GATE, GATE)
    assert (verdict.level, verdict.observed) == (level, observed)


def test_critical_alone_without_a_way_fails() -> None:
    config = yaml.safe_load(OWN)
    config["route"]["routes"] = [{"matchers": ['severity="critical"'], "receiver": "nobody"}]
    verdict = routed(SENDER, replace(STATUS, config=yaml.safe_dump(config)), LOADED, GATE, GATE)
    assert (verdict.level, verdict.message) == (Level.FAIL, "Alerts of severity critical end nowhere.")


def test_arrives() -> None:
    hops = (Hop("API answers", 0.5), Hop("Alertmanager takes it", 1.0))
    assert arrives(Trip(hops), GATE).observed == "1.5 s there and back"
    broken = arrives(Trip(hops, "The alert's way broke at «API stores it».", "tradebot logs api"), GATE)
    assert (broken.level, broken.hint) == (Level.FAIL, "tradebot logs api")
    assert broken.observed == "last hop made: Alertmanager takes it"
    assert arrives(Trip((), "It broke."), GATE).observed == "last hop made: nothing"


EVERY = ("critical/slack", "warning/slack", "jobs/slack")
FRESH = dict.fromkeys(EVERY, NOW)


@pytest.mark.parametrize(
    ("attempts", "tests", "level", "message"),
    [
        ({"slack": Attempts(3, 0)}, FRESH, Level.PASS, "Every channel takes alerts."),
        ({}, FRESH, Level.PASS, "Every channel takes alerts."),
        (
            {"slack": Attempts(3, 1)},
            FRESH,
            Level.FAIL,
            f"Notifications fail: {', '.join(EVERY)}.",
        ),
        # Another channel's failures are another channel's.
        ({"email": Attempts(3, 1)}, FRESH, Level.PASS, "Every channel takes alerts."),
        ({}, {"critical/slack": NOW, "jobs/slack": NOW}, Level.WARN, "Not tested within 30 days: warning/slack."),
        (
            {},
            FRESH | {"critical/slack": NOW - timedelta(days=31)},
            Level.WARN,
            "Not tested within 30 days: critical/slack.",
        ),
    ],
)
def test_channels(attempts: dict[str, Attempts], tests: dict[str, datetime], level: Level, message: str) -> None:
    verdict = channels(STATUS, attempts, tests, NOW, GATE, GATE)
    assert (verdict.level, verdict.message) == (level, message)


def test_without_a_channel_there_is_none_to_test() -> None:
    verdict = channels(replace(STATUS, config=OWN), {}, {}, NOW, GATE, GATE)
    assert (verdict.level, verdict.skip) == (Level.SKIP, Skip.PROFILE)
