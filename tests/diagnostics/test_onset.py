from dataclasses import replace
from datetime import timedelta

import pytest

from tests.diagnostics.test_causes import FAULTS, HEALTHY, NOW, UNKNOWN, Values, conditions, why
from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.diagnostics.explanation import lines
from tradebot_ops.engines.base import Event, Replica, State
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.replicas import services
from tradebot_ops.facts.replicas.condition import Condition

STOPPED = Event(NOW - timedelta(minutes=12), "redis", 1, "stop", exit_code=0)
DOWN = PendingOrFiring(
    "ServiceDown",
    "pending",
    {"job": "redis", "severity": "critical"},
    annotations={},
    active_since=NOW - timedelta(minutes=3),
    value=1.0,
)


@pytest.mark.parametrize(
    ("more", "minutes"),
    [
        ({services.events: (replace(STOPPED, at=NOW - timedelta(hours=2)), STOPPED)}, 12),
        ({prometheus.alerts: (DOWN,)}, 3),
        ({services.events: (STOPPED,), prometheus.alerts: (DOWN,)}, 12),
        ({prometheus.alerts: (replace(DOWN, labels={"job": "prometheus", "severity": "critical"}),)}, None),
        ({prometheus.alerts: (replace(DOWN, labels={"job": "redis", "severity": "warning"}),)}, None),
        ({services.events: UNKNOWN, prometheus.alerts: UNKNOWN}, None),
    ],
    ids=["its last end", "a pending alert", "the earlier of both", "of another", "one that looks back", "unseen"],
)
def test_since_when_redis_is_down(more: Values, minutes: int | None) -> None:
    found = why({**FAULTS["redis-down"], **more})
    assert found.since == (None if minutes is None else NOW - timedelta(minutes=minutes))


def test_a_queue_that_stands_still_shows_since_when() -> None:
    assert why(FAULTS["workers-idle"]).since == NOW - timedelta(seconds=90)


def test_a_crash_loop_shows_since_its_first_crash() -> None:
    """The service is named by the symptom that it does not run."""
    restarting = Condition(Replica("api", 1, "api", "demo-api-1", State.RESTARTING), "restarting", "3 restarts")
    found = why({**FAULTS["crash-loop"], services.now: conditions(restarting)})
    assert found.since == NOW - timedelta(seconds=50)


def test_the_verdict_says_it() -> None:
    found = why({**FAULTS["redis-down"], services.events: (STOPPED,)})
    assert lines(found)[0] == "Redis does not run. (supported; first sign 12 min ago)"
    assert lines(why({**HEALTHY, **FAULTS["redis-down"]}))[0] == "Redis does not run. (supported)"
