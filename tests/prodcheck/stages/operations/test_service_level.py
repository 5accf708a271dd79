"""Judges of stage 10 about the lease and the service level, at every level."""

import pytest

from tradebot_ops.facts.metrics.slo import Availability
from tradebot_ops.facts.project.lease import Lease
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.operations.service_level import kept_promise, unlocked

DAY = 86_400.0


@pytest.mark.parametrize(
    ("lease", "level"),
    [
        (Lease(), Level.PASS),
        (Lease("`tradebot up` (process 7)", 20.0), Level.PASS),
        (Lease("`tradebot up` (process 7)", 3600.0), Level.WARN),
    ],
)
def test_lease(lease: Lease, level: Level) -> None:
    assert unlocked(lease).level is level


@pytest.mark.parametrize(
    ("found", "level", "known"),
    [
        (Availability(1.0, 600.0), Level.PASS, "10 min on record"),
        (Availability(0.5, 600.0), Level.PASS, "38.2 min of budget left"),
        (Availability(0.9995, 30 * DAY), Level.PASS, "30.0 days on record"),
        (Availability(0.998, 2 * DAY), Level.WARN, "2.0 days on record"),
        (Availability(0.998, 30 * DAY), Level.FAIL, "0 s of budget left"),
        (Availability(0.5, 2 * DAY), Level.FAIL, "0 s of budget left"),
    ],
)
def test_availability(found: Availability, level: Level, known: str) -> None:
    verdict = kept_promise(found)
    assert verdict.level is level
    assert known in verdict.observed
