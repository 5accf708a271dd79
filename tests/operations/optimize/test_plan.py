"""What is shown of a decision: how long was measured, what would change, what stays, and what all of it frees."""

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.optimize.test_decide import QUIET
from tests.operations.seen import whole
from tradebot_ops.model import Report
from tradebot_ops.operations.optimize import plan
from tradebot_ops.operations.optimize.decide import MB, Change, Decision, Kept

FREES = Change("WORKER_REPLICAS", 8, 6, "They were idle.", 2048 * MB)
COSTS = Change("REDIS_MAXMEMORY", 128 * MB, 512 * MB, "It was full.", -768 * MB)
COUNTED = Change("POSTGRES_MAX_CONNECTIONS", 100, 200, "They were open.")
KEPT = (Kept("JOB_MEMORY_LIMIT", "It fits."), Kept("WORKER_MEMORY_LIMIT", "Nobody knows.", known=False))


@pytest.mark.parametrize(
    "decision",
    [
        Decision((FREES, COSTS, COUNTED), KEPT),
        Decision((COSTS,), ()),
        Decision((), KEPT),
        Decision((COUNTED,), KEPT[:1]),
        Decision(lacking="Too little is on record."),
    ],
    ids=["several", "costs", "none", "neither", "lacking"],
)
def test_screens(decision: Decision, snapshot: SnapshotAssertion) -> None:
    content = plan.content(QUIET, decision)
    del content["usage"]
    for last in ("Do it: tradebot optimize apply", ""):
        assert whole(Report(data=content, sections=plan.sections(QUIET, decision, last))) == snapshot


@pytest.mark.parametrize(("size", "said"), [(0, "–"), (1, "1 B"), (-1, "costs 1 B"), (3 * MB, "3 MB")])
def test_what_is_freed_and_what_is_taken(size: int, said: str) -> None:
    assert plan._freed(size) == said
