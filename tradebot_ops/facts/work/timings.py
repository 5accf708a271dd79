"""Costs of the jobs of the last hour: time in the queue, time at work, and the largest memory of one."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import NotApplicable, Skip, fact

#: The newest so many are looked at: a ledger grows for ever.
MOST = 5000

_ENDED = """
SELECT count(*) AS jobs, coalesce(avg(extract(epoch FROM started_at - submitted_at)), 0)::float8 AS waited,
       coalesce(avg(extract(epoch FROM finished_at - started_at)), 0)::float8 AS worked,
       coalesce(max(peak_memory_bytes), 0)::bigint AS memory
FROM (SELECT * FROM job WHERE submitted_at > now() - interval '1 hour' ORDER BY submitted_at DESC LIMIT %s) AS latest
WHERE started_at IS NOT NULL AND finished_at IS NOT NULL AND type <> 'failing_canary'
"""


@dataclass(frozen=True)
class Timings:
    """Means in seconds of ``jobs``; ``memory`` is the largest peak of one, in bytes."""

    jobs: int
    waited_s: float
    worked_s: float
    memory: int


@fact()
def timings(ops: Ops) -> Timings:
    (row,) = ops.postgres.rows(_ENDED, [MOST])
    if not row["jobs"]:
        raise NotApplicable(Skip.PREREQUISITE, "No job ended within the last hour.")
    return Timings(row["jobs"], row["waited"], row["worked"], row["memory"])
