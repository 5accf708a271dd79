"""Every level of the checks on Prometheus itself."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tradebot_ops.clients.prometheus import Status
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Health, Loaded, Storage
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.monitoring.prometheus import configuration, healthy

GATE = Answer("prometheus", ok=True, detail="ready")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STATUS = Status("2.53", NOW, True, NOW, "15d", 4000, ("http://alertmanager:9093",))
LOADED = Loaded("/etc/prometheus/prometheus.yml")
STORAGE = Storage("/prometheus", True, "15d", 2 << 30, 1e6, 100e9)
HEALTH = Health(4000, 300, 0, 0, 0, 10000, 0)


@pytest.mark.parametrize(
    ("status", "loaded", "storage", "level"),
    [
        ({}, {}, {}, Level.PASS),
        ({"config_loaded": False}, {}, {}, Level.FAIL),
        ({}, {"places": ("scrape_configs[0].job_name",)}, {}, Level.WARN),
        ({}, {"rules": ("RedisDown",)}, {}, Level.WARN),
        ({}, {"edited": True}, {}, Level.WARN),
        ({}, {}, {"on_volume": False}, Level.FAIL),
        ({}, {}, {"retention_time": "0s", "retention_size": 0}, Level.WARN),
        ({}, {}, {"retention_time": "0s"}, Level.PASS),
        ({}, {}, {"free": 1e9}, Level.WARN),
        # It is as large as it may get.
        ({}, {}, {"free": 1e9, "used": float(2 << 30)}, Level.PASS),
        ({}, {}, {"free": None}, Level.PASS),
        # The worst of two is what counts.
        ({}, {"edited": True}, {"on_volume": False}, Level.FAIL),
    ],
)
def test_configuration(status: dict[str, Any], loaded: dict[str, Any], storage: dict[str, Any], level: Level) -> None:
    verdict = configuration(replace(STATUS, **status), replace(LOADED, **loaded), replace(STORAGE, **storage), GATE)
    assert verdict.level is level


def test_what_differs_is_observed() -> None:
    verdict = configuration(STATUS, replace(LOADED, places=("route",), rules=("RedisDown",)), STORAGE, GATE)
    assert verdict.observed == "differs: route, rule RedisDown"


@pytest.mark.parametrize(
    ("health", "level"),
    [
        ({}, Level.PASS),
        ({"failures": 1}, Level.FAIL),
        ({"corruptions": 1}, Level.FAIL),
        # A reload loses one of many.
        ({"dropped": 0.02}, Level.PASS),
        ({"dropped": 0.2}, Level.WARN),
        ({"dropped": 0.6}, Level.FAIL),
        ({"dropped": None}, Level.PASS),
        ({"queue": 6000}, Level.WARN),
        ({"queue": 4000}, Level.PASS),
        ({"series": 3e6}, Level.WARN),
        ({"series": None}, Level.WARN),
        ({"failures": None}, Level.WARN),
    ],
)
def test_healthy(health: dict[str, Any], level: Level) -> None:
    assert healthy(replace(HEALTH, **health), GATE).level is level
