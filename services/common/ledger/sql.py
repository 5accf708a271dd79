"""The ledger's transitions. Each is one statement, so it is also one transaction: the move and its event."""

from services.common.jobtypes import FAILS_ON_PURPOSE
from services.common.ledger.model import KILL_LIMIT
from services.common.ledger.parts import NOTE_NOW, PROGRESS_NOW, WAITING
from services.common.ledger.rules.halt import unless_halted

_SMALL = f"""id, type, version, payload, state, attempt, max_attempts, deferrals, kills, replays, worker, submitted_at,
    started_at, finished_at, retry_at, cancel_requested_at, {PROGRESS_NOW}, {NOTE_NOW}, error_type, message,
    fingerprint, fault, peak_memory_bytes, trace_id, not_before"""
COLUMNS = f"{_SMALL}, result, traceback"
TRACEBACK_COLUMNS = f"{_SMALL}, NULL::json AS result, traceback"
LIGHT_COLUMNS = f"{_SMALL}, NULL::json AS result, NULL::text AS traceback"

# The id is sent right after this commits, hence sent_at; a failed send takes it back (UNSENT). What is for later is
# left to the sweeper. A closed type takes none, a halted stack canaries alone.
SUBMIT = f"""
WITH moved AS (
  INSERT INTO job (id, type, version, payload, max_attempts, idempotency_key, trace_id, not_before, sent_at, sends)
  SELECT %(id)s, %(type)s, %(version)s, %(payload)s, %(max_attempts)s, %(key)s, %(trace_id)s,
    %(not_before)s::timestamptz, CASE WHEN %(not_before)s::timestamptz IS NULL THEN now() END,
    (%(not_before)s::timestamptz IS NULL)::int
  WHERE NOT EXISTS (SELECT FROM queue_rule WHERE type = %(type)s AND closed) AND {unless_halted("%(type)s")}
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING {COLUMNS}
), logged AS (
  INSERT INTO job_event (job_id, state, by) SELECT id, state, %(by)s FROM moved
), wished AS (
  INSERT INTO job_notice (job_id, wish) SELECT id, %(notify)s FROM moved WHERE %(notify)s::text IS NOT NULL
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

BY_KEY = f"""
SELECT {COLUMNS}, type = %(type)s AND payload = %(payload)s::jsonb AS same
FROM job WHERE idempotency_key = %(key)s
"""  # noqa: S608 - only constants are put together

UNSENT = "UPDATE job SET sent_at = NULL WHERE id = %(id)s AND state IN ('queued', 'retrying', 'running')"


#: Of the fencing token; a bigint has room for more claims of one job than there will ever be.
TOKEN_STEP = 1_000_000


def claim_where(condition: str) -> str:
    """The claim of a job that also fulfils ``condition``, in which the row is ``job``.

    A claim does not wait for the disk: half of the time of a short job was that. A crash of Postgres may take the last
    moments of claims back; then the job waits as before, and the worker that believes it has it is refused. The token
    grows by a random step, so that whoever claims the job next does not get the one that was taken back.

    A job taken over from a worker that vanished keeps the number of its attempt: that was the stack's fault.
    A delayed message may arrive a little before the database's clock reaches retry_at; refusing it would leave
    the job to the sweeper, so a second of tolerance is given.
    """
    return f"""
WITH moved AS (
  UPDATE job SET
    state = 'running', attempt = attempt + (state <> 'running')::int,
    lease_token = lease_token + 1 + (random() * {TOKEN_STEP})::int,
    worker = %(worker)s, lease_until = now() + make_interval(secs => %(lease_s)s), retry_at = NULL,
    started_at = CASE WHEN parts > 0 AND parent IS NULL THEN coalesce(started_at, now()) ELSE now() END,
    kills = kills + (state = 'running')::int, progress = 0, note = ''
  WHERE id = %(id)s AND (
    (state = 'queued' AND (not_before IS NULL OR not_before <= now() + interval '1 second'))
    OR (state = 'retrying' AND retry_at <= now() + interval '1 second')
    OR (state = 'running' AND lease_until < now() AND cancel_requested_at IS NULL
        AND kills < {KILL_LIMIT - 1}))
    AND {condition}
  RETURNING *
), logged AS (
  INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, worker, 'attempt ' || attempt || ' of ' || max_attempts FROM moved
  UNION ALL
  SELECT parent, state, worker, 'part ' || part + 1 || ' of ' || parts || ', attempt ' || attempt FROM moved
  WHERE parent IS NOT NULL
)
SELECT id, type, version, payload, attempt, max_attempts, deferrals, kills, lease_token, worker, trace_id, submitted_at,
  parent, part, parts
FROM moved WHERE set_config('synchronous_commit', 'off', true) = 'off'
"""  # noqa: S608 - only constants are put together


# A job whose worker vanished and that must not run again: cancelled meanwhile, or poison.
BURY = f"""
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN cancel_requested_at IS NULL THEN 'dead' ELSE 'cancelled' END,
    lease_token = lease_token + 1, kills = kills + 1, lease_until = NULL, finished_at = now(),
    error_type = 'WorkerLost', fingerprint = 'worker-lost-' || type, fault = 'job',
    message = 'The worker ' || worker || ' vanished while running attempt ' || attempt
              || ' of ' || max_attempts || ' (lost ' || kills + 1 || ' worker(s) in all).'
  WHERE id = %(id)s AND state = 'running' AND lease_until < now()
    AND (cancel_requested_at IS NOT NULL OR kills >= {KILL_LIMIT - 1})
  RETURNING id, type, state, message
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, message FROM moved
)
SELECT type, state FROM moved
"""  # noqa: S608 - only constants are put together

RENEW = """
UPDATE job SET lease_until = now() + make_interval(secs => %(lease_s)s)
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL AS cancel
"""

PROGRESS = """
UPDATE job SET progress = %(progress)s, note = %(note)s
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL AS cancel
"""

FINISH = """
WITH moved AS (
  UPDATE job SET
    state = 'succeeded', result = %(result)s, progress = 1, finished_at = now(), lease_until = NULL,
    peak_memory_bytes = CASE WHEN parts > 0 THEN greatest(peak_memory_bytes, %(peak)s) ELSE %(peak)s END,
    error_type = NULL, message = NULL, traceback = NULL, fingerprint = NULL, fault = NULL
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by) SELECT id, state, worker FROM moved
)
SELECT state FROM moved
"""

_AGAIN = f"""(%(retry_in_s)s::float8 IS NOT NULL AND attempt < max_attempts AND cancel_requested_at IS NULL
    AND kills + %(killed)s < {KILL_LIMIT})"""

# The end of an attempt that did not succeed; that of a part is an event of its job, too.
_LOG_END = """INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, worker, %(note)s FROM moved
  UNION ALL
  SELECT parent, 'running', worker, left('part ' || part + 1 || ' of ' || parts || ': ' || %(note)s, 500) FROM moved
  WHERE parent IS NOT NULL"""


def _begun_anew(waits: str) -> str:
    """A job that waits for its next attempt has done nothing of that; one that is over shows how far it came."""
    return f"progress = CASE WHEN {waits} THEN 0 ELSE progress END, note = CASE WHEN {waits} THEN '' ELSE note END"


FAIL = f"""
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN {_AGAIN} THEN 'retrying' ELSE 'dead' END, kills = kills + %(killed)s, fault = 'job',
    retry_at = CASE WHEN {_AGAIN} THEN now() + make_interval(secs => %(retry_in_s)s) END,
    finished_at = CASE WHEN {_AGAIN} THEN NULL ELSE now() END,
    sent_at = NULL, sends = 0, lease_until = NULL, {_begun_anew(_AGAIN)}, peak_memory_bytes = %(peak)s,
    error_type = %(error_type)s, message = %(message)s, traceback = %(traceback)s,
    fingerprint = %(fingerprint)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker, parent, part, parts
), logged AS (
  {_LOG_END}
)
SELECT state FROM moved
"""  # noqa: S608 - only constants are put together

_POISON = f"kills + %(killed)s >= {KILL_LIMIT}"
_DEFERRED = f"(cancel_requested_at IS NULL AND NOT {_POISON})"

# The stack failed under the job: the attempt is given back, however often that was the case before. But for a job
# whose processes are killed again and again: that is what kills them.
DEFER = f"""
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' WHEN {_POISON} THEN 'dead' ELSE 'retrying' END,
    retry_at = CASE WHEN {_DEFERRED} THEN now() + make_interval(secs => %(delay_s)s) END,
    finished_at = CASE WHEN {_DEFERRED} THEN NULL ELSE now() END,
    attempt = attempt - {_DEFERRED}::int, kills = kills + %(killed)s, deferrals = deferrals + 1,
    sent_at = NULL, sends = 0, lease_until = NULL, {_begun_anew(_DEFERRED)}, peak_memory_bytes = %(peak)s,
    fault = CASE WHEN {_POISON} THEN 'job' ELSE 'stack' END, error_type = %(error_type)s,
    message = %(message)s, traceback = %(traceback)s, fingerprint = %(fingerprint)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker, parent, part, parts
), logged AS (
  {_LOG_END}
)
SELECT state FROM moved
"""  # noqa: S608 - only constants are put together

RELEASE = """
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN %(delay_s)s > 0 THEN 'retrying' ELSE 'queued' END,
    retry_at = CASE WHEN %(delay_s)s > 0 THEN now() + make_interval(secs => %(delay_s)s) END,
    attempt = attempt - 1, sent_at = NULL, sends = 0, lease_until = NULL, started_at = NULL, worker = NULL,
    progress = 0, note = ''
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, %(note)s FROM moved
)
SELECT state FROM moved
"""

CANCELLED = """
WITH moved AS (
  UPDATE job SET state = 'cancelled', finished_at = now(), lease_until = NULL, peak_memory_bytes = %(peak)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, worker, %(note)s FROM moved
)
SELECT state FROM moved
"""

# Waiting jobs end at once, also one that waits for its parts; a running one is only marked, its worker ends it.
_HELD = f"(state = 'running' AND NOT {WAITING})"
REQUEST_CANCEL = f"""
WITH moved AS (
  UPDATE job SET
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    state = CASE WHEN {_HELD} THEN 'running' ELSE 'cancelled' END,
    finished_at = CASE WHEN {_HELD} THEN NULL ELSE now() END, retry_at = NULL
  WHERE id = %(id)s AND state IN ('queued', 'retrying', 'running')
  RETURNING {COLUMNS}
), removed AS (
  DELETE FROM job USING moved WHERE job.parent = moved.id AND moved.state = 'cancelled'
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, 'cancel requested' FROM moved
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

# In quarantine, by type or group.
SET_ASIDE = "(type IN (SELECT name FROM quarantine) OR fingerprint IN (SELECT name FROM quarantine))"

EVENTS = "SELECT at, state, by, note FROM job_event WHERE job_id = %(id)s ORDER BY id"

# What could run now; the dead by themselves, from their index alone.
COUNTS = f"""
SELECT state, count(*) AS jobs FROM job
WHERE state IN ('queued', 'running', 'retrying') AND type <> '{FAILS_ON_PURPOSE}'
  AND (state = 'running' OR coalesce(retry_at, not_before, now()) <= now()
    AND type NOT IN (SELECT type FROM queue_rule WHERE paused) AND {unless_halted("type")})
GROUP BY state
UNION ALL
SELECT 'dead', count(*) FROM job WHERE state = 'dead' AND type <> '{FAILS_ON_PURPOSE}' AND {SET_ASIDE} IS NOT TRUE
"""  # noqa: S608 - only constants are put together
