"""When a channel has taken an alert, by Alertmanager's counters. The whole is proved in the integration tests."""

import pytest

from tradebot_ops.clients.alertmanager import Deliveries
from tradebot_ops.operations.alerts.delivery import outcome

BEFORE = Deliveries(started=7, sent=6, failed={"other": 1, "clientError": 0})


@pytest.mark.parametrize(
    ("now", "expected", "said"),
    [
        (BEFORE, 1, None),
        (Deliveries(8, 6, BEFORE.failed), 1, None),
        (Deliveries(8, 7, BEFORE.failed), 1, ""),
        (Deliveries(8, 7, BEFORE.failed), 2, None),
        # Somebody else's arrived; the one begun last is still on its way.
        (Deliveries(10, 8, BEFORE.failed), 2, None),
        (Deliveries(9, 7, {"other": 1, "clientError": 1}), 1, "the notification failed (clientError)."),
        (Deliveries(9, 7, {"": 1}), 1, "the notification failed."),
    ],
)
def test_outcome(now: Deliveries, expected: int, said: str | None) -> None:
    assert outcome(BEFORE, now, expected) == said
