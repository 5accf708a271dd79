"""Jobs of whose end people want to be notified: who is due, and that it was done. Once for each job."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.common.database import Database

BATCH = 50

# The rows are locked until they were sent and removed: no two APIs send the same.
DUE = """
SELECT notice.job_id, job.type, job.state, job.message, job.finished_at,
  extract(epoch FROM job.finished_at - coalesce(job.started_at, job.finished_at))::float8 AS seconds,
  extract(epoch FROM now() - job.finished_at)::float8 AS age_s,
  notice.wish = 'end' OR job.state = 'dead' AS wanted
FROM job_notice AS notice JOIN job ON job.id = notice.job_id
WHERE job.state IN ('succeeded', 'dead', 'cancelled')
ORDER BY job.finished_at LIMIT %(limit)s FOR UPDATE OF notice SKIP LOCKED
"""
DONE = "DELETE FROM job_notice WHERE job_id = ANY(%(jobs)s)"


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that is over: ``message`` is what it failed with, ``seconds`` how long its last run took, ``age_s`` how
    long ago it ended, ``wanted`` whether this end was asked for."""

    job_id: UUID
    type: str
    state: str
    message: str | None
    finished_at: datetime
    seconds: float
    age_s: float
    wanted: bool


class Notices:
    """All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def due(self, limit: int = BATCH) -> Iterator[Sequence[Ended]]:
        """Jobs that ended, the first one first; done with once the block ends without an exception."""
        with self._database.connection() as connection, connection.transaction():
            found = [Ended(**row) for row in connection.execute(DUE, {"limit": limit})]
            yield found
            if found:
                connection.execute(DONE, {"jobs": [each.job_id for each in found]})
