"""Isolation and encryption, at every level."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.prodcheck.stages.security.test_containers import container
from tradebot_ops.clients.certificates import Certificate
from tradebot_ops.facts.access.certificates import Secured
from tradebot_ops.facts.access.ports import Shown
from tradebot_ops.facts.fact import Skip
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.network import encrypted, isolated

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SHUT = {"redis": "timed out", "postgres": "timed out"}
HERE, WIDE = Shown("api", "api-1", 8010, "127.0.0.1", 1), Shown("api", "api-1", 8010, "0.0.0.0", 1)


@pytest.mark.parametrize(
    ("mode", "networks", "outside", "level", "observed"),
    [
        ("demo_default", ("demo_default",), SHUT, Level.PASS, "redis, postgres not reached"),
        ("demo_default", ("demo_default",), SHUT | {"redis": ""}, Level.FAIL, "redis"),
        ("bridge", ("bridge",), SHUT, Level.FAIL, "api-1 on bridge"),
        ("demo_default", ("bridge", "demo_default"), SHUT, Level.FAIL, "api-1 on"),
        ("host", ("host",), SHUT, Level.FAIL, "api-1 on host"),
    ],
)
def test_isolation(mode: str, networks: tuple[str, ...], outside: dict[str, str], level: Level, observed: str) -> None:
    verdict = isolated((container(network_mode=mode, networks=networks),), outside)
    assert verdict.level is level
    assert observed in verdict.observed


def good(days: float) -> Certificate:
    return Certificate("", NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("found", "environment", "level", "message"),
    [
        (Secured(WIDE, good(60)), "prod", Level.PASS, "is encrypted"),
        (Secured(HERE, good(29)), "prod", Level.WARN, "ends soon"),
        (Secured(HERE, good(6)), "dev", Level.FAIL, "about to end"),
        (Secured(HERE, good(60), plain=200), "dev", Level.FAIL, "without TLS as well"),
        (Secured(HERE, good(60), plain=400), "dev", Level.PASS, "is encrypted"),
        (Secured(HERE, Certificate("self-signed certificate")), "dev", Level.FAIL, "not trusted: self-signed"),
        (Secured(WIDE, None), "dev", Level.WARN, "open to the network without TLS"),
        (Secured(WIDE, None), "prod", Level.FAIL, "open to the network without TLS"),
    ],
)
def test_encryption(found: Secured, environment: str, level: Level, message: str) -> None:
    verdict = encrypted((found, Secured(HERE, None)), NOW, environment)
    assert verdict.level is level
    assert message in verdict.message


def test_off_on_loopback_there_is_nothing_to_judge() -> None:
    assert encrypted((Secured(HERE, None),), NOW, "prod").skip is Skip.PROFILE
    assert encrypted((), NOW, "prod").skip is Skip.PREREQUISITE
    assert isolated((), SHUT).skip is Skip.PREREQUISITE
