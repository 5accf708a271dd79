"""The ledger's transitions. Each is one statement, so it is also one transaction: the move and its event."""

from services.common.jobtypes import FAILS_ON_PURPOSE
from services.common.ledger.model import KILL_LIMIT

_SMALL = """id, type, version, payload, state, attempt, max_attempts, deferrals, kills, replays, worker, submitted_at,
    started_at, finished_at, retry_at, cancel_requested_at, progress, note, error_type, message, fingerprint,
    fault, peak_memory_bytes, trace_id"""
COLUMNS = f"{_SMALL}, result, traceback"
LIGHT_COLUMNS = f"{_SMALL}, NULL::json AS result, NULL::text AS traceback"

# The id is sent right after this commits, hence sent_at; a failed send takes it back (UNSENT).
SUBMIT = f"""
WITH moved AS (
  INSERT INTO job (id, type, version, payload, max_attempts, idempotency_key, trace_id, sent_at, sends)
  VALUES (%(id)s, %(type)s, %(version)s, %(payload)s, %(max_attempts)s, %(key)s, %(trace_id)s, now(), 1)
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING {COLUMNS}
), logged AS (
  INSERT INTO job_event (job_id, state, by) SELECT id, state, %(by)s FROM moved
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

BY_KEY = f"""
SELECT {COLUMNS}, type = %(type)s AND payload = %(payload)s::jsonb AS same
FROM job WHERE idempotency_key = %(key)s
"""  # noqa: S608 - only constants are put together

UNSENT = "UPDATE job SET sent_at = NULL WHERE id = %(id)s AND state IN ('queued', 'retrying')"

# A job taken over from a worker that vanished keeps the number of its attempt: that was the stack's fault.
# A delayed message may arrive a little before the database's clock reaches retry_at; refusing it would leave
# the job to the sweeper, so a second of tolerance is given.
CLAIM = f"""
WITH moved AS (
  UPDATE job SET
    state = 'running', attempt = attempt + (state <> 'running')::int, lease_token = lease_token + 1,
    worker = %(worker)s, lease_until = now() + make_interval(secs => %(lease_s)s), retry_at = NULL, started_at = now(),
    kills = kills + (state = 'running')::int, progress = 0, note = ''
  WHERE id = %(id)s AND (
    state = 'queued'
    OR (state = 'retrying' AND retry_at <= now() + interval '1 second')
    OR (state = 'running' AND lease_until < now() AND cancel_requested_at IS NULL
        AND kills < {KILL_LIMIT - 1}))
  RETURNING *
), logged AS (
  INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, worker, 'attempt ' || attempt || ' of ' || max_attempts FROM moved
)
SELECT id, type, version, payload, attempt, max_attempts, deferrals, kills, lease_token, worker, trace_id, submitted_at
FROM moved
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
    peak_memory_bytes = %(peak)s, error_type = NULL, message = NULL, traceback = NULL, fingerprint = NULL,
    fault = NULL
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by) SELECT id, state, worker FROM moved
)
SELECT state FROM moved
"""

_AGAIN = f"""(%(retry_in_s)s::float8 IS NOT NULL AND attempt < max_attempts AND cancel_requested_at IS NULL
    AND kills + %(killed)s < {KILL_LIMIT})"""

FAIL = f"""
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN {_AGAIN} THEN 'retrying' ELSE 'dead' END, kills = kills + %(killed)s, fault = 'job',
    retry_at = CASE WHEN {_AGAIN} THEN now() + make_interval(secs => %(retry_in_s)s) END,
    finished_at = CASE WHEN {_AGAIN} THEN NULL ELSE now() END,
    sent_at = NULL, sends = 0, lease_until = NULL, peak_memory_bytes = %(peak)s,
    error_type = %(error_type)s, message = %(message)s, traceback = %(traceback)s,
    fingerprint = %(fingerprint)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, worker, %(note)s FROM moved
)
SELECT state FROM moved
"""  # noqa: S608 - only constants are put together

# The stack failed under the job: the attempt is given back, however often that was the case before.
DEFER = """
WITH moved AS (
  UPDATE job SET
    state = CASE WHEN cancel_requested_at IS NULL THEN 'retrying' ELSE 'cancelled' END,
    retry_at = CASE WHEN cancel_requested_at IS NULL THEN now() + make_interval(secs => %(delay_s)s) END,
    finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE now() END,
    attempt = attempt - 1, deferrals = deferrals + 1, sent_at = NULL, sends = 0, lease_until = NULL,
    progress = 0, note = '', peak_memory_bytes = %(peak)s, fault = 'stack', error_type = %(error_type)s,
    message = %(message)s, traceback = %(traceback)s, fingerprint = %(fingerprint)s
  WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
  RETURNING id, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, worker, %(note)s FROM moved
)
SELECT state FROM moved
"""

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

# Waiting jobs end at once; a running one is only marked, its worker ends it.
REQUEST_CANCEL = f"""
WITH moved AS (
  UPDATE job SET
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    state = CASE WHEN state = 'running' THEN 'running' ELSE 'cancelled' END,
    finished_at = CASE WHEN state = 'running' THEN NULL ELSE now() END
  WHERE id = %(id)s AND state IN ('queued', 'retrying', 'running')
  RETURNING {COLUMNS}
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, 'cancel requested' FROM moved
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

# Of the worker that had this name before: whoever starts under it knows that it is gone.
END_LEASES = """
UPDATE job SET lease_until = now() WHERE worker = %(worker)s AND state = 'running' AND lease_until > now()
RETURNING id
"""

SWEEP_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('tradebot.sweeper', 0)) AS held"

# An id is sent again when it was never sent, was sent before the job became due, or was sent long ago: every
# repetition doubles the wait, so that a long honest backlog is not multiplied by the sweeper. `all` is for a
# transport that has lost everything.
OVERDUE = """
WITH due AS (
  SELECT id, sent_at, sends, state = 'running' AS taken_over, CASE state
      WHEN 'queued' THEN submitted_at
      WHEN 'retrying' THEN retry_at + make_interval(secs => %(grace_s)s)
      ELSE lease_until END AS since
  FROM job
  WHERE state = 'queued' OR (state = 'retrying' AND retry_at + make_interval(secs => %(grace_s)s) <= now())
     OR (state = 'running' AND lease_until < now())
)
SELECT id, taken_over FROM due
WHERE sent_at IS NULL OR sent_at < since OR %(all)s
   OR sent_at < now() - make_interval(secs => %(resend_s)s * power(2, least(sends, 6)))
ORDER BY since LIMIT %(limit)s
"""

MARK_SENT = "UPDATE job SET sent_at = now(), sends = sends + 1 WHERE id = ANY(%(ids)s)"

# From the beginning, as if it had just been submitted; its events keep what happened before.
REPLAY = f"""
WITH moved AS (
  UPDATE job SET
    state = 'queued', replays = replays + 1, attempt = 0, deferrals = 0, kills = 0, started_at = NULL,
    finished_at = NULL, cancel_requested_at = NULL, sent_at = now(), sends = 1, progress = 0, note = '',
    error_type = NULL, message = NULL, traceback = NULL, fingerprint = NULL, fault = NULL, peak_memory_bytes = NULL
  WHERE id = %(id)s AND state = 'dead' AND (%(again)s OR replays = 0)
  RETURNING {COLUMNS}
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, 'replayed' FROM moved
)
SELECT * FROM moved
"""  # noqa: S608 - only constants are put together

DEAD_GROUPS = """
SELECT coalesce(fingerprint, '') AS fingerprint, type, coalesce(error_type, '') AS error_type,
  coalesce(fault, 'job') AS fault, coalesce(max(message), '') AS message, count(*) AS jobs,
  count(*) FILTER (WHERE replays > 0) AS replayed, min(finished_at) AS first_at, max(finished_at) AS last_at
FROM job WHERE state = 'dead' GROUP BY 1, 2, 3, 4 ORDER BY jobs DESC, last_at DESC LIMIT %(limit)s
"""

EVENTS = "SELECT at, state, by, note FROM job_event WHERE job_id = %(id)s ORDER BY id"

COUNTS = f"""
SELECT state, count(*) AS jobs FROM job
WHERE state IN ('queued', 'running', 'retrying', 'dead') AND type <> '{FAILS_ON_PURPOSE}' GROUP BY state
"""  # noqa: S608 - only constants are put together

REMOVE_DEAD = "DELETE FROM job WHERE id = %(id)s AND state = 'dead' RETURNING type"
