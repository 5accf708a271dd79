"""The store of alerts in the API: what arrived there."""

from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact

#: They fire by design: the dead man's switch, the one that only inhibits others, and news of jobs.
BACKGROUND = frozenset({"Watchdog", "RecentOutage", "JobEnded"})
#: And the one that `alerts test` raises.
BY_DESIGN = BACKGROUND | {"SyntheticAlert"}
#: The switch beats every minute at the latest.
WATCHDOG_LIMIT = timedelta(minutes=3)
#: What the API gives at once.
LIMIT = 500


@fact(seconds=15)
def watchdog_heard(ops: Ops) -> datetime | None:
    """When the alert that always fires arrived last; None when it never did."""
    beats = [alert for alert in ops.api.alerts(10, "Watchdog") if alert["status"] == "firing"]
    return max((datetime.fromisoformat(beat["last_received_at"]) for beat in beats), default=None)


@fact(seconds=15)
def history(ops: Ops) -> tuple[dict[str, Any], ...]:
    """The newest of all that is stored, newest first."""
    return tuple(ops.api.alerts(LIMIT))
