"""The queue, as the ledger has it: what waits, what died, what nobody works on; and its course."""

from dataclasses import dataclass
from datetime import timedelta

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.work.halt import MAY_START

WINDOW = timedelta(minutes=15)
STEP_S = 60.0
LENGTH = 'max(queue_length{queue="jobs"})'
#: Seconds after the end of a lease in which the sweeper finds the job, and another worker takes it.
RECOVERY_S = 15.0
#: So many transitions back a claim is looked for: a ledger grows for ever.
LOOKED_AT = 10_000

#: Nobody is at fault for those that an operator holds back (by a pause, by a halt), that wait for room, or whose time
#: has not come.
_PAUSED = "SELECT type FROM queue_rule WHERE paused"
_WITHOUT_ROOM = """SELECT rule.type FROM queue_rule AS rule WHERE max_running <=
  (SELECT count(*) FROM job AS run
   WHERE run.type = rule.type AND run.state = 'running' AND run.lease_until IS NOT NULL)"""
_SINCE = "coalesce(retry_at, not_before, submitted_at)"
_DUE = f"{_SINCE} <= now() AND type NOT IN ({_WITHOUT_ROOM})"
_WAITING = f"""
SELECT count(*) AS waiting, count(*) FILTER (WHERE {_DUE}) AS due,
  extract(epoch FROM now() - min({_SINCE}) FILTER (WHERE {_DUE}))::float8 AS oldest_s
FROM job WHERE state IN ('queued', 'retrying') AND type <> 'failing_canary'
  AND coalesce(not_before, now()) <= now() AND type NOT IN ({_PAUSED}) AND {MAY_START}
"""  # noqa: S608 - only constants are put together
# As the services count them: not what is in quarantine.
_COUNTED = """state = 'dead' AND type <> 'failing_canary' AND
  (type IN (SELECT name FROM quarantine) OR fingerprint IN (SELECT name FROM quarantine)) IS NOT TRUE"""
# From the index of dead jobs alone, but for the few whose error is looked at.
_DEAD = f"""
SELECT count(*) AS dead, count(*) FILTER (WHERE finished_at > now() - interval '1 hour') AS dead_hour,
  count(*) FILTER (WHERE finished_at > now() - interval '1 day') AS dead_day,
  extract(epoch FROM now() - min(finished_at))::float8 AS oldest_dead_s,
  (SELECT count(*) FROM job WHERE {_COUNTED} AND finished_at > now() - interval '1 hour'
     AND error_type = 'MemoryLimitExceeded') AS dead_memory
FROM job WHERE {_COUNTED}
"""  # noqa: S608 - only constants are put together
_CLAIM = """
SELECT extract(epoch FROM now() - max(at))::float8 AS claimed_s FROM job_event
WHERE state = 'running' AND id > (SELECT coalesce(max(id), 0) - %s FROM job_event)
"""
_LOST = f"""
SELECT id::text AS id, type, coalesce(worker, '') AS worker, extract(epoch FROM now() - lease_until)::float8 AS since
FROM job
WHERE state = 'running' AND lease_until < now() - make_interval(secs => %s) AND {MAY_START}
ORDER BY lease_until LIMIT 100
"""  # noqa: S608 - only constants are put together


@dataclass(frozen=True)
class Queue:
    """``due`` of the ``waiting`` jobs may run now; ages are in seconds, None where there is nothing to be old.

    Jobs of paused types, of a halted stack, and for later do not wait. ``claimed_s`` is how long ago a worker last
    took a job.
    """

    waiting: int
    due: int
    oldest_s: float | None
    claimed_s: float | None


@dataclass(frozen=True)
class DeadLetters:
    """Jobs that were given up: all, those of the last hour and day, and the age of the oldest in seconds; ``memory``
    of the last hour's were killed for theirs.
    """

    count: int
    hour: int
    day: int
    oldest_s: float | None
    memory: int = 0


@dataclass(frozen=True)
class Lost:
    """A job whose worker stopped to renew its lease ``since`` seconds ago, and that nobody took over."""

    id: str
    type: str
    worker: str
    since: float


@fact(seconds=12)
def queue(ops: Ops) -> Queue:
    (row,) = ops.postgres.rows(_WAITING)
    (claim,) = ops.postgres.rows(_CLAIM, [LOOKED_AT])
    return Queue(row["waiting"], row["due"], row["oldest_s"], claim["claimed_s"])


@fact(seconds=7)
def dead_letters(ops: Ops) -> DeadLetters:
    (row,) = ops.postgres.rows(_DEAD)
    return DeadLetters(row["dead"], row["dead_hour"], row["dead_day"], row["oldest_dead_s"], row["dead_memory"])


@fact(seconds=7)
def lost(ops: Ops) -> tuple[Lost, ...]:
    """The hundred that are lost for the longest time."""
    return tuple(
        Lost(row["id"], row["type"], row["worker"], row["since"]) for row in ops.postgres.rows(_LOST, [RECOVERY_S])
    )


@fact(seconds=15)
def course(ops: Ops) -> tuple[float, ...]:
    """How many jobs waited, minute by minute of the last 15; empty without the monitoring profile."""
    if "prometheus" not in ops.stack.services:
        return ()
    now = ops.clock()
    found = ops.prometheus.query_range(LENGTH, now - WINDOW, now, STEP_S)
    return tuple(value for _, value in found[0].points) if found else ()
