"""Jobs done in parts. Each part is a job for the workers; the whole waits for them here, and in no process.

While it waits, the whole is ``running`` without a lease. Once all parts have succeeded it is queued again, for a worker
to join their results. Where one is dead or was cancelled, so is the whole, and the other parts are gone: their workers
learn it with the next renewal of their leases. Lists, figures and dead letters know the whole alone.
"""

from uuid import UUID

from services.common.database import Database
from services.common.ledger.model import Claim, State

#: A job that is done in parts and not over yet; such a one that waits for its parts.
PARTED = "(job.parent IS NULL AND job.parts IS NOT NULL AND job.state IN ('queued', 'running', 'retrying'))"
WAITING = "(job.parts IS NOT NULL AND job.state = 'running' AND job.lease_until IS NULL)"

# It is as far as its parts are.
PROGRESS_NOW = f"""CASE WHEN {PARTED} THEN coalesce((
    SELECT avg(part.progress) FROM job AS part WHERE part.parent = job.id), 0) ELSE progress END AS progress"""  # noqa: S608
NOTE_NOW = f"""CASE WHEN {PARTED} THEN (
    SELECT count(*) FILTER (WHERE part.state = 'succeeded') || ' of ' || job.parts || ' parts done'
    FROM job AS part WHERE part.parent = job.id) ELSE note END AS note"""  # noqa: S608

# The run that only found out how large the job is burns no attempt. Parts of a run before a replay are of no use.
SPLIT = """
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN cancel_requested_at IS NULL THEN 'running' ELSE 'cancelled' END,
    finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE now() END,
    parts = %(count)s, attempt = attempt - 1, lease_token = lease_token + 1, lease_until = NULL, worker = NULL,
    progress = 0, note = '', peak_memory_bytes = %(peak)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING *
), earlier AS (
  DELETE FROM job USING moved WHERE job.parent = moved.id
), made AS (
  INSERT INTO job (id, type, version, payload, max_attempts, trace_id, parent, part, parts, sent_at, sends)
  SELECT gen_random_uuid(), type, version, payload, max_attempts, trace_id, id, number, parts, now(), 1
  FROM moved, generate_series(0, parts - 1) AS number WHERE state = 'running'
  RETURNING id, part, state
), logged AS (
  INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, %(by)s, 'in ' || parts || ' parts' FROM moved
  UNION ALL SELECT id, state, %(by)s, '' FROM made
)
SELECT moved.state, array(SELECT id FROM made ORDER BY part) AS parts FROM moved
"""


def _settle(whose: str) -> str:
    return f"""
WITH seen AS (
  SELECT job.id, bool_and(part.state = 'succeeded') AS done, bool_or(part.state = 'cancelled') AS cancelled,
    min(part.part) FILTER (WHERE part.state = 'dead') AS dead, avg(part.progress) AS progress,
    max(part.peak_memory_bytes) AS peak
  FROM job AS part JOIN job ON job.id = part.parent
  WHERE {whose} AND {WAITING} GROUP BY job.id
), moved AS (
  UPDATE job SET
    state = CASE WHEN seen.dead IS NOT NULL THEN 'dead' WHEN seen.cancelled THEN 'cancelled' ELSE 'queued' END,
    finished_at = CASE WHEN seen.done THEN NULL ELSE now() END, sent_at = NULL, sends = 0,
    retry_at = CASE WHEN seen.done THEN now() END, progress = seen.progress,
    peak_memory_bytes = greatest(job.peak_memory_bytes, seen.peak),
    error_type = failed.error_type, traceback = failed.traceback, fingerprint = failed.fingerprint,
    fault = failed.fault, message = 'Part ' || failed.part + 1 || ' of ' || failed.parts || ': ' || failed.message
  FROM seen LEFT JOIN job AS failed ON failed.parent = seen.id AND failed.part = seen.dead
  WHERE job.id = seen.id AND {WAITING} AND (seen.done OR seen.dead IS NOT NULL OR seen.cancelled)
  RETURNING job.id, job.state, job.parts, job.message
), removed AS (
  DELETE FROM job USING moved WHERE job.parent = moved.id AND moved.state <> 'queued'
), logged AS (
  INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, %(by)s, CASE state WHEN 'queued' THEN 'all ' || parts || ' parts done'
    WHEN 'dead' THEN message ELSE 'a part was cancelled' END FROM moved
)
SELECT id, state FROM moved
"""  # noqa: S608 - only constants are put together


SETTLE = _settle("part.parent = %(whole)s")
SETTLE_ALL = _settle("part.parent IS NOT NULL")

# Results that were joined, and what a whole left that ended while it was joined.
CLEAR = """
DELETE FROM job AS part USING job AS whole
WHERE part.parent = whole.id AND whole.state IN ('succeeded', 'dead', 'cancelled')
"""


class PartedJobs:
    """Moves of jobs that are done in parts. All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def split(
        self, claim: Claim, count: int, *, peak_memory_bytes: int | None = None
    ) -> tuple[State, list[UUID]] | None:
        """End this attempt and store the job's parts, whose ids the caller sends; None when the lease was lost.

        The job is ``running`` without a worker until its parts are over, or ``cancelled`` where that was asked for.
        """
        params = {"id": claim.id, "token": claim.lease_token, "count": count, "peak": peak_memory_bytes}
        row = self._database.row(SPLIT, params | {"by": claim.worker})
        return (State(row["state"]), row["parts"]) if row else None

    def settle(self, whole: UUID, *, by: str) -> State | None:
        """After one of its parts ended: the job's new state, None where it still waits for others.

        If it is ``queued`` the caller sends its id, else the sweeper does.
        """
        row = self._database.row(SETTLE, {"whole": whole, "by": by})
        return State(row["state"]) if row else None
