"""Rules of operators for a type of job (paused, closed, a limit of running jobs), and the jobs of it that wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common.database import Connection, Database, Row, storable_text
from services.common.ledger.rules.halt import unless_halted
from services.common.ledger.sql import claim_where

MAY_START = unless_halted("job.type")

# A type without a rule, and without a limit of its own, is claimed by one statement, which decides that itself.
UNRULED = f"""{MAY_START} AND NOT (%(limits)s::jsonb ? type) AND NOT EXISTS (
    SELECT FROM queue_rule AS rule WHERE rule.type = job.type AND (rule.paused OR rule.max_running IS NOT NULL))"""
CLAIM = claim_where(UNRULED)

RULE_OF = f"""
SELECT type, coalesce(paused, false) OR NOT {MAY_START} AS held,
  coalesce(max_running, (%(limits)s::jsonb ->> type)::int) AS max_running
FROM job LEFT JOIN queue_rule USING (type)
WHERE id = %(id)s AND state IN ('queued', 'retrying', 'running')
"""  # noqa: S608 - only constants are put together

# Two workers that counted at the same time would both find room. The count must be a statement of its own, after the
# lock: each statement sees what was committed before it began, a halt meanwhile, too.
LIMIT_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('tradebot.limit ' || %(type)s, 0))"
CLAIM_WITHIN_LIMIT = claim_where(f"""{MAY_START} AND (
    SELECT count(*) FROM job AS other
    WHERE other.type = job.type AND other.state = 'running' AND other.lease_until >= now() AND other.id <> job.id
    ) < %(max_running)s""")  # noqa: S608

# Its message is used up: the sweeper sends the id again once the type may run.
HOLD = "UPDATE job SET sent_at = NULL, sends = 0 WHERE id = %(id)s AND state IN ('queued', 'retrying')"

STATUS = """
WITH under_way AS (
  SELECT type, count(*) FILTER (WHERE state = 'queued' AND NOT coalesce(not_before > now(), false)) AS waiting,
    count(*) FILTER (WHERE state = 'queued' AND not_before > now()) AS scheduled,
    count(*) FILTER (WHERE state = 'retrying') AS retrying, count(*) FILTER (WHERE state = 'running') AS running,
    min(coalesce(not_before, submitted_at))
      FILTER (WHERE state = 'queued' AND NOT coalesce(not_before > now(), false)) AS oldest_at
  FROM job WHERE state IN ('queued', 'retrying', 'running') GROUP BY type
), dead AS (
  SELECT type, count(*) AS dead FROM job WHERE state = 'dead' GROUP BY type
)
SELECT type, coalesce(waiting, 0) AS waiting, coalesce(scheduled, 0) AS scheduled, coalesce(retrying, 0) AS retrying,
  coalesce(running, 0) AS running, coalesce(dead, 0) AS dead, oldest_at, coalesce(paused, false) AS paused,
  coalesce(closed, false) AS closed, max_running, coalesce(reason, '') AS reason, by, at
FROM under_way FULL JOIN dead USING (type) FULL JOIN queue_rule USING (type) ORDER BY type
"""

# What is not given stays as it is.
SET = """
INSERT INTO queue_rule AS rule (type, paused, closed, max_running, reason, by)
VALUES (%(type)s, coalesce(%(paused)s, false), coalesce(%(closed)s, false), %(max_running)s, %(reason)s, %(by)s)
ON CONFLICT (type) DO UPDATE SET
  paused = coalesce(%(paused)s, rule.paused), closed = coalesce(%(closed)s, rule.closed),
  max_running = CASE WHEN %(limited)s THEN excluded.max_running ELSE rule.max_running END,
  reason = excluded.reason, by = excluded.by, at = now()
"""
FORGET = "DELETE FROM queue_rule WHERE type = %(type)s AND NOT paused AND NOT closed AND max_running IS NULL"
CLOSED = "SELECT reason, by FROM queue_rule WHERE type = %(type)s AND closed"

PURGE = """
WITH moved AS (
  UPDATE job SET state = 'cancelled', cancel_requested_at = now(), finished_at = now(), retry_at = NULL
  WHERE id IN (
    SELECT id FROM job WHERE type = %(type)s AND state IN ('queued', 'retrying') AND parent IS NULL
    ORDER BY submitted_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
  RETURNING id, state
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, %(note)s FROM moved
)
SELECT count(*) AS jobs FROM moved
"""
#: So many jobs are cancelled by one statement, so that it holds no lock for long.
BATCH = 2000


class QueueClosed(Exception):  # noqa: N818 - reads as what it is
    """An operator has closed the type for new jobs."""

    def __init__(self, type: str, reason: str, by: str) -> None:  # noqa: A002
        why = f": {reason}" if reason else ""
        super().__init__(f"{by} has closed {type} for new jobs{why}")


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Jobs of one type that are not over, or dead; and what was set for it, ``by`` whom and when."""

    type: str
    waiting: int = 0
    scheduled: int = 0
    retrying: int = 0
    running: int = 0
    dead: int = 0
    oldest_at: datetime | None = None
    paused: bool = False
    closed: bool = False
    max_running: int | None = None
    reason: str = ""
    by: str | None = None
    at: datetime | None = None


class Queues:
    """Types of jobs, each as a queue of its own. All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def status(self) -> list[QueueStatus]:
        """Types with jobs that wait, run or are dead, and those for which something was set; by name."""
        return [QueueStatus(**row) for row in self._database.rows(STATUS)]

    def set(
        self,
        type: str,  # noqa: A002 - the field's name everywhere else
        *,
        by: str,
        paused: bool | None = None,
        closed: bool | None = None,
        max_running: int | None = None,
        limited: bool = False,
        reason: str = "",
    ) -> None:
        """Change what is given; ``limited`` says that ``max_running`` is, None being no limit of the operator."""
        params = {"type": type, "paused": paused, "closed": closed, "max_running": max_running, "limited": limited}
        with self._database.connection() as connection, connection.transaction():
            connection.execute(SET, params | {"reason": storable_text(reason), "by": by})
            connection.execute(FORGET, params)

    def purge(self, type: str, *, by: str, reason: str = "", limit: int = BATCH) -> int:  # noqa: A002
        """Cancel at most ``limit`` jobs of the type that wait, oldest first; how many."""
        note = storable_text(f"purged: {reason}" if reason else "purged")
        row = self._database.row(PURGE, {"type": type, "by": by, "note": note, "limit": limit})
        return int(row["jobs"]) if row else 0


def claim_under_rule(connection: Connection, params: Row) -> Row | None:
    """Claim a job whose type has a rule, where that lets it start; else, or while halted, it is held back for the
    sweeper.
    """
    rule: Row | None = connection.execute(RULE_OF.encode(), params).fetchone()
    if rule is None or not (rule["held"] or rule["max_running"]):
        return None
    if not rule["held"]:
        connection.execute(LIMIT_LOCK, rule)
        row: Any = connection.execute(CLAIM_WITHIN_LIMIT.encode(), params | {"max_running": rule["max_running"]})
        if claimed := row.fetchone():
            return dict(claimed) | {"limited": True}
    connection.execute(HOLD, params)
    return None


def declared_limits(job_types: Mapping[str, Any]) -> dict[str, int]:
    """The limits that job types declare themselves, by name."""
    return {name: each.max_running for name, each in job_types.items() if each.max_running is not None}
