"""A worker is known under every name it may have."""

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts.work.worker_names import worker_names


def test_a_worker_is_told_under_every_name_it_may_have() -> None:
    container = Replica("worker", 2, "0123456789abcdef", "demo-worker-2", State.RUNNING)
    assert worker_names(container) == ("worker-2", "demo-worker-2", "0123456789ab")
