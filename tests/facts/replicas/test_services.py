"""Three looks at every replica, each with the patience of one who asks many others at the same time."""

from types import SimpleNamespace
from typing import cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts.replicas import condition, services
from tradebot_ops.facts.replicas.condition import Condition

UP = Replica("api", 1, "id", "demo-api-1", State.RUNNING)


def test_a_slow_answer_within_three_seconds_is_none_of_a_dead_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    slow_s = 2.0  # longer than `status` waits

    def answer(_ops: Ops, replica: Replica, seconds: float = condition.ASK_SECONDS) -> Condition:
        asked.append(seconds)
        return Condition(replica, "ready" if seconds > slow_s else "unhealthy", "")

    monkeypatch.setattr(services, "condition_of", answer)
    monkeypatch.setattr(services, "PAUSE_SECONDS", 0.0)
    ops = cast("Ops", SimpleNamespace(engine=SimpleNamespace(list=lambda: [UP])))
    looks = services.looks(ops)
    assert [[each.word for each in look] for look in looks] == [["ready"]] * 3
    assert condition.ASK_SECONDS < slow_s < asked[0]
    # All looks end within the fact's own time, also where nobody answers.
    assert services.looks.seconds > services.LOOKS * (services.PATIENCE_SECONDS + 1.0)
