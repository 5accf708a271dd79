"""Jobs that are over: figures of each type, and their end in the ledger."""

from collections.abc import Sequence

from services.common.database import Database, Row
from services.common.jobtypes import FAILS_ON_PURPOSE
from services.common.ledger.model import State, TypeStats

#: The newest so many jobs are looked at for figures: a ledger grows for ever.
MOST = 100_000
#: So many jobs are removed by one statement, so that it holds no lock for long.
BATCH = 2000

STATS = f"""
WITH ended AS (
  SELECT type, state, peak_memory_bytes, extract(epoch FROM finished_at - started_at)::float8 AS took,
    extract(epoch FROM started_at - submitted_at)::float8 AS waited
  FROM job
  WHERE finished_at > now() - make_interval(secs => %(since_s)s) AND type <> '{FAILS_ON_PURPOSE}'
    AND parent IS NULL AND (%(type)s::text IS NULL OR type = %(type)s)
  ORDER BY finished_at DESC LIMIT %(most)s
)
SELECT type, count(*) AS jobs, count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
  count(*) FILTER (WHERE state = 'dead') AS dead, count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS took_median_s,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS took_p95_s,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS waited_median_s,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY waited) AS waited_p95_s,
  max(peak_memory_bytes) AS peak_memory_bytes
FROM ended GROUP BY type ORDER BY jobs DESC, type
"""  # noqa: S608 - only constants are put together

_OLD = "finished_at < now() - make_interval(secs => %(older_than_s)s) AND state = ANY(%(states)s)"
# Of several that prune at once each takes other rows.
PRUNE = f"""
DELETE FROM job WHERE id IN (
  SELECT id FROM job WHERE {_OLD} AND parent IS NULL ORDER BY finished_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""  # noqa: S608 - only constants are put together
PRUNABLE = f"SELECT count(*) AS jobs FROM job WHERE {_OLD}"  # noqa: S608 - only constants are put together


class History:
    """The past of the ledger. All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stats(self, since_s: float, type: str | None = None) -> list[TypeStats]:  # noqa: A002
        """Figures of each type, of the newest ``MOST`` jobs that ended within so many seconds."""
        rows = self._database.rows(STATS, {"since_s": since_s, "type": type, "most": MOST})
        return [TypeStats(**row) for row in rows]

    def prune(self, older_than_s: float, states: Sequence[State], limit: int = BATCH) -> int:
        """Remove at most ``limit`` jobs that ended so long ago, with their events, oldest first; how many."""
        return len(self._database.rows(PRUNE, _old(older_than_s, states) | {"limit": limit}))

    def prunable(self, older_than_s: float, states: Sequence[State]) -> int:
        """How many jobs ended so long ago."""
        row = self._database.row(PRUNABLE, _old(older_than_s, states))
        return int(row["jobs"]) if row else 0


def _old(older_than_s: float, states: Sequence[State]) -> Row:
    return {"older_than_s": older_than_s, "states": [state.value for state in states if state.final]}
