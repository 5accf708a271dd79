"""Targets under the names that commands know."""

import pytest

from tradebot_ops.clients.prometheus import Target
from tradebot_ops.engines.base import Replica, State
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
