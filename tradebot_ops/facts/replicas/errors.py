"""Errors that are on record: those that the API counted, and jobs that died; grouped where they lie."""

from dataclasses import dataclass
from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import Fact, fact

MOST = 200

_API = """
SELECT fingerprint, type, message, location, count, first_seen AS first, last_seen AS last
FROM api_error WHERE last_seen > now() - make_interval(secs => %s) ORDER BY last_seen DESC LIMIT %s
"""
# By the index of dead jobs; of each group the newest, and no traceback.
_DEAD = """
SELECT coalesce(fingerprint, '') AS fingerprint, coalesce(error_type, '') AS type, max(message) AS message,
       string_agg(DISTINCT type, ', ') AS location, count(*) AS count, min(finished_at) AS first,
       max(finished_at) AS last, (array_agg(id::text ORDER BY finished_at DESC))[1:5] AS jobs
FROM job WHERE state = 'dead' AND type <> 'failing_canary' AND finished_at > now() - make_interval(secs => %s)
GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT %s
"""


@dataclass(frozen=True)
class Recorded:
    """Equal errors: ``location`` is a function of the API, or types of jobs."""

    fingerprint: str
    type: str
    message: str
    location: str
    count: int
    first: datetime
    last: datetime
    jobs: tuple[str, ...] = ()


def of_api(seconds: float) -> Fact[tuple[Recorded, ...]]:
    """Those that were seen within so many seconds; their counts are of all time."""
    return Fact("errors.of_api", lambda ops: _recorded(ops, _API, seconds), seconds=8)


def of_jobs(seconds: float) -> Fact[tuple[Recorded, ...]]:
    """Jobs that died within so many seconds."""
    return Fact("errors.of_jobs", lambda ops: _recorded(ops, _DEAD, seconds), seconds=8)


@fact(seconds=10)
def last_start(ops: Ops) -> datetime | None:
    """When a replica was started last: by a deploy, a scaling, a restart, or after a crash."""
    return max((found.started_at for found in ops.engine.list() if found.started_at is not None), default=None)


def _recorded(ops: Ops, query: str, seconds: float) -> tuple[Recorded, ...]:
    rows = ops.postgres.rows(query, (seconds, MOST))
    return tuple(
        Recorded(**{**row, "message": row["message"] or "", "jobs": tuple(row.get("jobs") or ())}) for row in rows
    )
