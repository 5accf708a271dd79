"""Whether the series that schedules download are as new as the last time of their schedule should have made them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from services.common.database import Database
from services.common.ledger.cron import BadCron, last_before

#: Schedules that are looked at; each is a label of two metrics.
MOST = 200
_SCHEDULED = """
SELECT schedule.name AS schedule, wanted.symbol, wanted.interval, cron, zone, next_at, last_at,
  extract(epoch FROM wanted.interval::interval)::float8 AS step_s,
  (SELECT extract(epoch FROM max(candle.ts))::float8 FROM candle JOIN series ON series.id = series_id
   WHERE series.symbol = wanted.symbol AND series.interval = wanted.interval) AS newest
FROM schedule, LATERAL (SELECT payload->>'series' AS symbol, payload->>'interval' AS interval) AS wanted
WHERE type = 'download_candles' AND NOT paused AND wanted.symbol IS NOT NULL ORDER BY schedule.name LIMIT %(most)s
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Unix times: when the newest bar ends, 0 without any, and when the one ends that should be there at least."""

    symbol: str
    interval: str
    newest: float
    expected: float


class Freshness:
    """Methods are safe from several threads; all raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._now = database, now

    def all(self) -> list[Fresh]:
        """Each series that an active schedule downloads, once; not before the first time of the schedule."""
        return judged(self._database.rows(_SCHEDULED, {"most": MOST}), self._now())


def judged(rows: Iterable[Any], now: datetime) -> list[Fresh]:
    """Of several schedules of one series the one counts that expects most. Pure."""
    found: dict[tuple[str, str], Fresh] = {}
    for row in rows:
        if (due := _due(row, now)) is None:
            continue
        # The bar that had just ended may come late: the one before it is there, or something is wrong.
        newest = 0.0 if row["newest"] is None else row["newest"] + row["step_s"]
        each = Fresh(row["symbol"], row["interval"], newest, due.timestamp() - row["step_s"])
        key = each.symbol, each.interval
        if key not in found or each.expected > found[key].expected:
            found[key] = each
    return list(found.values())


def _due(row: Any, now: datetime) -> datetime | None:
    """The newest time of a schedule that made a job, or should have; None before the first.

    Times that passed while it was paused are behind ``next_at``, and made none.
    """
    if row["next_at"] is None or row["next_at"] > now:
        last: datetime | None = row["last_at"]
        return last
    missed: datetime = row["next_at"]
    try:
        return max(missed, last_before(row["cron"], row["zone"], now) or missed)
    except BadCron as error:
        log.warning("a schedule cannot be read any more", schedule=row["schedule"], error=str(error))
        return None
