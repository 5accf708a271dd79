"""Targets under the names that commands know."""

from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.clients.prometheus import Target
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts import engine
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.operations.monitoring import targets
from tradebot_ops.operations.monitoring.targets import replica_of, service_of


def target(job: str, instance: str) -> Target:
    return Target(job, instance, f"http://{instance}/metrics", "down", "refused", None, 0.0)


@pytest.mark.parametrize(
    ("job", "instance", "replica", "service"),
    [
        ("worker", "172.18.0.7:9091", "worker-3", "worker"),
        ("worker", "worker-1", "worker-1", "worker"),
        # The address went to somebody else meanwhile, or to nobody.
        ("worker", "172.18.0.4:9091", "", "worker"),
        ("worker", "172.18.0.99:9091", "", "worker"),
        ("redis", "redis-exporter:9121", "", "redis-exporter"),
    ],
)
def test_targets_are_named_by_replica(job: str, instance: str, replica: str, service: str) -> None:
    instances = [
        Replica("api", 1, "a", "demo-api-1", State.RUNNING, host="172.18.0.4"),
        Replica("redis-exporter", 1, "r", "demo-redis-exporter-1", State.RUNNING),
        Replica("worker", 1, "w1", "demo-worker-1", State.RUNNING, host="172.18.0.5"),
        Replica("worker", 3, "w3", "demo-worker-3", State.RUNNING, host="172.18.0.7"),
    ]
    found = target(job, instance)
    assert replica_of(found, instances) == replica
    assert service_of(found, {"api", "worker", "redis-exporter"}) == service


def test_screens(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    worker = Replica("worker", 3, "w3", "demo-worker-3", State.RUNNING, host="172.18.0.7")
    url = "http://172.18.0.7:9091/metrics"
    found = (
        Target("worker", "172.18.0.7:9091", url, "up", "", at - timedelta(seconds=4), 0.0125),
        Target("worker", "172.18.0.8:9091", url, "down", "connection refused", at - timedelta(minutes=3), 0.0),
        Target("redis", "redis-exporter:9121", url, "unknown", "", None, 0.0),
        Target("redis", "redis-exporter:9121", url, "down", "it hangs", None, 2.0),
    )
    answers: dict[object, object] = {prometheus.targets: found, engine.replicas: (worker,)}
    started: list[object] = []

    class Answers:
        def __init__(self, ops: object) -> None:
            assert ops is the_ops

        start = staticmethod(started.extend)
        required = staticmethod(answers.__getitem__)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            assert tz is UTC
            return cls.fromisoformat(at.isoformat())

    the_ops: Any = SimpleNamespace(stack=SimpleNamespace(services={"worker": 1, "redis-exporter": 1}))
    monkeypatch.setattr(targets, "Facts", Answers)
    monkeypatch.setattr(targets, "datetime", Clock)
    assert whole(targets.targets(the_ops)) == snapshot
    assert started == [prometheus.targets, engine.replicas]
