"""Every level of the checks on the alert that always fires."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import Status
from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.clients.prometheus import Status as PrometheusStatus
from tradebot_ops.facts.alerting.alertmanager import Attempts
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Verdict
from tradebot_ops.prodcheck.stages.alerting.deadman import beats, outside

GATE = Answer("alertmanager", ok=True, detail="ready")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=2)
OWN = (ROOT / "config/alertmanager/alertmanager.yml").read_text()
WATCHDOG = PendingOrFiring("Watchdog", "firing", {}, {}, LONG_AGO, 1)


def beat(
    heard: datetime | None, *, started: datetime = LONG_AGO, fires: bool = True, config: str = OWN, env: str = "dev"
) -> Verdict:
    sender = PrometheusStatus("2.53", started, True, started, "15d", 1, ())
    status = Status("0.28", LONG_AGO, config, True, LONG_AGO)
    return beats((WATCHDOG,) if fires else (), sender, status, heard, env, NOW, GATE, GATE)


def muted() -> str:
    config = yaml.safe_load(OWN)
    config["route"]["routes"][0]["receiver"] = "nobody"
    return yaml.safe_dump(config)


def ago(**passed: float) -> datetime:
    return NOW - timedelta(**passed)


def test_beats() -> None:
    verdict = beat(ago(seconds=20))
    assert verdict.level is Level.PASS
    assert beat(ago(minutes=4)).level is Level.FAIL
    assert beat(None).observed == "never arrived"
    assert beat(None).level is Level.FAIL
    assert beat(ago(seconds=20), fires=False).message == "Watchdog does not fire in Prometheus."


def test_a_start_a_moment_ago_excuses_silence_and_is_no_pass() -> None:
    assert beat(None, started=ago(seconds=30)).level is Level.WARN
    assert beat(ago(hours=1), started=ago(seconds=30)).level is Level.PASS


@pytest.mark.parametrize(("env", "level"), [("dev", Level.WARN), ("staging", Level.WARN), ("prod", Level.FAIL)])
def test_nobody_who_hears_it_fails_in_production(env: str, level: Level) -> None:
    assert beat(NOW, config=muted(), env=env).level is level


def elsewhere() -> str:
    config = yaml.safe_load(OWN)
    config["receivers"].append({"name": "outside", "opsgenie_configs": [{"api_key_file": "x"}]})
    config["route"]["routes"].insert(0, {"matchers": ['alertname="Watchdog"'], "receiver": "outside", "continue": True})
    return yaml.safe_dump(config)


@pytest.mark.parametrize(
    ("config", "attempts", "level"),
    [
        (OWN, {"webhook": Attempts(100, 0)}, Level.FAIL),
        (elsewhere(), {"opsgenie": Attempts(60, 0)}, Level.PASS),
        (elsewhere(), {"opsgenie": Attempts(60, 1)}, Level.FAIL),
        (elsewhere(), {"opsgenie": Attempts(0, 0)}, Level.FAIL),
        (elsewhere(), {}, Level.FAIL),
    ],
)
def test_outside(config: str, attempts: dict[str, Attempts], level: Level) -> None:
    status = replace(Status("0.28", LONG_AGO, OWN, True, LONG_AGO), config=config)
    assert outside(status, attempts, GATE, GATE).level is level


def test_outside_fails_in_production_only() -> None:
    assert outside.at_most == {"dev": Level.WARN, "staging": Level.WARN}
