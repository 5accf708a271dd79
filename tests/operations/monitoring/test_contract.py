"""What is asked for and emitted by nothing, as people read it."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.facts.metrics.metric_contract import Seen
from tradebot_ops.monitoring.contract import Broken, Contract, Metric
from tradebot_ops.operations.monitoring import contract

BROKEN = (Broken("rule ApiDown", "nothing_emits"), Broken("panel Queue", "queue_depth", "colour"))
UNUSED = (
    Metric("api_b", "gauge", source="api"),
    Metric("api_a", "gauge", source="api"),
    Metric("r", "gauge", source="redis"),
)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("static", "seen"),
    [(Contract((), ()), Seen((), ())), (Contract(BROKEN, UNUSED), Seen(("worker_busy is absent",), ("worker",)))],
    ids=["whole", "broken"],
)
def test_screens(
    monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion, static: Contract, seen: Seen, live: bool
) -> None:
    """Prometheus is asked only where that is wanted."""
    ops: Any = object()
    asked: list[tuple[str, object]] = []

    def answering(name: str, answer: object) -> None:
        def looked(given: object) -> object:
            asked.append((name, given))
            return answer

        monkeypatch.setattr(contract, name, looked)

    answering("static", static)
    answering("look", seen)
    assert whole(contract.contract(ops, live=live)) == snapshot
    assert asked == [("static", ops), ("look", ops)][: 2 if live else 1]
