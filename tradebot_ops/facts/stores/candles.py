"""Market data in the ledger's database: how far each series goes, and what was refused of it."""

from dataclasses import dataclass
from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact

#: Series that are looked at; each costs one look into an index.
MOST = 50
_SERIES = """
SELECT s.symbol, s.interval, (SELECT max(c.ts) FROM candle c WHERE c.series_id = s.id) AS last,
  (SELECT coalesce(sum(r.rows), 0)::bigint FROM candle_rejected_count r WHERE r.series_id = s.id) AS rejected
FROM series s ORDER BY s.symbol, s.interval LIMIT %s
"""


@dataclass(frozen=True)
class Series:
    """One symbol at one interval: its newest candle, None without any, and how many were rejected."""

    symbol: str
    interval: str
    last: datetime | None
    rejected: int


@fact()
def series(ops: Ops) -> tuple[Series, ...]:
    rows = ops.postgres.rows(_SERIES, [MOST])
    return tuple(Series(row["symbol"], row["interval"], row["last"], row["rejected"]) for row in rows)
