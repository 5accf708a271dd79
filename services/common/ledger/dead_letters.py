"""Dead letters: jobs that were given up, by what they failed with; replayed, removed, set aside."""

from typing import Any
from uuid import UUID

from services.common.database import Database, storable_text
from services.common.ledger.model import DeadGroup, Fault, Job, Quarantine
from services.common.ledger.rules.halt import raise_if_halted, unless_halted
from services.common.ledger.sql import COLUMNS, SET_ASIDE
from services.common.ledger.store import job_of

# Counted from the index alone; only of the groups that are shown is a row looked at.
GROUPS = f"""
WITH grouped AS (
  SELECT fingerprint, type, count(*) AS jobs, count(*) FILTER (WHERE replays > 0) AS replayed,
    min(finished_at) AS first_at, max(finished_at) AS last_at
  FROM job WHERE state = 'dead' GROUP BY fingerprint, type ORDER BY jobs DESC, last_at DESC LIMIT %(limit)s
)
SELECT coalesce(fingerprint, '') AS fingerprint, type, coalesce(error_type, '') AS error_type,
  coalesce(fault, 'job') AS fault, coalesce(message, '') AS message, jobs, replayed, first_at, last_at,
  {SET_ASIDE} AS quarantined
FROM grouped LEFT JOIN LATERAL (
  SELECT error_type, fault, message FROM job
  WHERE state = 'dead' AND fingerprint = grouped.fingerprint AND type = grouped.type
  ORDER BY submitted_at DESC, id DESC LIMIT 1) AS newest ON true
ORDER BY jobs DESC, last_at DESC
"""  # noqa: S608 - only constants are put together

# From the beginning, as if it had just been submitted; its events keep what happened before.
REPLAY = f"""
WITH moved AS (
  UPDATE job SET
    state = 'queued', replays = replays + 1, attempt = 0, deferrals = 0, kills = 0, started_at = NULL,
    finished_at = NULL, cancel_requested_at = NULL, sent_at = now(), sends = 1, progress = 0, note = '',
    error_type = NULL, message = NULL, traceback = NULL, fingerprint = NULL, fault = NULL, peak_memory_bytes = NULL,
    parts = NULL
  WHERE id = %(id)s AND state = 'dead' AND parent IS NULL AND (%(again)s OR replays = 0) AND {unless_halted("type")}
  RETURNING {COLUMNS}
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, 'replayed' FROM moved
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

REPLAYABLE = "SELECT type FROM job WHERE id = %(id)s AND state = 'dead' AND parent IS NULL"

REMOVE = "DELETE FROM job WHERE id = %(id)s AND state = 'dead' AND parent IS NULL RETURNING type"

QUARANTINE = """
INSERT INTO quarantine (name, reason, by) VALUES (%(name)s, %(reason)s, %(by)s)
ON CONFLICT (name) DO UPDATE SET reason = excluded.reason, by = excluded.by, at = now()
RETURNING name, reason, by, at
"""
LIFT = "DELETE FROM quarantine WHERE name = %(name)s RETURNING name"
QUARANTINED = "SELECT name, reason, by, at FROM quarantine ORDER BY at DESC, name LIMIT 1000"


class DeadLetters:
    """Rows of the ledger in state ``dead``. All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def groups(self, limit: int = 100) -> list[DeadGroup]:
        """Dead jobs by what they failed with, the largest group first."""
        rows = self._database.rows(GROUPS, {"limit": limit})
        return [DeadGroup(**(row | {"fault": Fault(row["fault"])})) for row in rows]

    def replay(self, job_id: UUID, *, again: bool = False, by: str = "api") -> Job | None:
        """Queue a dead job once more, with all its attempts; None when it is not dead, or was replayed before.

        ``again`` takes one that died after a replay, too. The caller sends the id afterwards, as after ``submit``.
        Raises ``StackHalted``.
        """
        params = {"id": job_id, "again": again, "by": by}
        if row := self._database.row(REPLAY, params):
            return job_of(row)
        if found := self._database.row(REPLAYABLE, params):
            raise_if_halted(self._database, found["type"])
        return None

    def remove(self, job_id: UUID) -> bool:
        """Remove a dead job with its events; False when there is none that is dead."""
        return self._database.row(REMOVE, {"id": job_id}) is not None

    def quarantine(self, name: str, reason: str, by: str) -> Quarantine:
        """Set aside all dead jobs with this fingerprint or of this type, also those to come."""
        row: Any = self._database.row(QUARANTINE, {"name": name, "reason": storable_text(reason), "by": by})
        return Quarantine(**row)

    def lift(self, name: str) -> bool:
        """End a quarantine; False when there is none."""
        return self._database.row(LIFT, {"name": name}) is not None

    def quarantined(self) -> list[Quarantine]:
        """The thousand newest, newest first."""
        return [Quarantine(**row) for row in self._database.rows(QUARANTINED)]
