"""Jobs of a worker that an operator has ended: others get them at once, and they pay nothing for it."""

from services.common.database import Database
from services.common.ledger.model import Recovered

# Unlike a worker that vanished: whoever ended it knows why, so neither an attempt nor a kill is counted. The ids are
# sent right after this commits, hence sent_at.
HAND_OVER = """
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN cancel_requested_at IS NULL THEN 'queued' ELSE 'cancelled' END,
    finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE now() END,
    attempt = attempt - 1, sent_at = now(), sends = 1, lease_until = NULL, started_at = NULL, worker = NULL,
    progress = 0, note = ''
  WHERE worker = %(worker)s AND state = 'running'
  RETURNING id, type, state
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, %(note)s FROM moved
)
SELECT id, type, %(worker)s::text AS worker FROM moved WHERE state = 'queued'
"""


class Handover:
    """Moves of the ledger about one worker. All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hand_over(self, worker: str, note: str, *, by: str) -> list[Recovered]:
        """Queue what this worker runs; the caller sends the ids, ahead of others.

        Should the worker live after all, its outcome is refused: the job is not its any more.
        """
        return [Recovered(**row) for row in self._database.rows(HAND_OVER, {"worker": worker, "note": note, "by": by})]
