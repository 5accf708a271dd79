"""Which ids go to the transport (again), and whose leases end early."""

from services.common.ledger.rules.halt import unless_halted

# Of the worker that had this name before: whoever starts under it knows that it is gone, although the name beats.
END_LEASES = """
UPDATE job SET lease_until = now() - make_interval(secs => %(spare_s)s), sent_at = NULL
WHERE worker = %(worker)s AND state = 'running' AND lease_until > now()
RETURNING id
"""

# Of workers that nobody hears of; and of those whose lease has ended, but whom nobody has taken over yet. A job
# that waits for its parts has neither.
RECOVER = """
WITH moved AS (
  UPDATE job SET lease_until = least(lease_until, now()), sent_at = now(), sends = sends + 1
  WHERE state = 'running' AND lease_until IS NOT NULL AND (lease_until <= now() OR worker <> ALL(%(alive)s))
  RETURNING id, type, state, worker
), logged AS (
  INSERT INTO job_event (job_id, state, by, note)
  SELECT id, state, %(by)s, 'recovered: its worker ' || worker || ' has vanished' FROM moved
)
SELECT id, type, worker FROM moved
"""

# Jobs that wait for the stack, with this fingerprint: what they lacked is back.
HASTEN = """
WITH moved AS (
  UPDATE job SET retry_at = now(), sent_at = NULL, sends = 0
  WHERE state = 'retrying' AND fault = 'stack' AND fingerprint = %(fingerprint)s AND retry_at > now()
  RETURNING id, state
), logged AS (
  INSERT INTO job_event (job_id, state, by, note) SELECT id, state, %(by)s, %(note)s FROM moved
)
SELECT count(*) AS jobs FROM moved
"""

SWEEP_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('tradebot.sweeper', 0)) AS held"

# An id is sent again when it was never sent, was sent before the job became due, or was sent long ago: every
# repetition doubles the wait, so that a long honest backlog is not multiplied by the sweeper. `all` is for a
# transport that has lost everything. What becomes due before the next turn is sent now, with a delay; a delayed id may
# be lost, or lie with a worker whose clock is slow, so that it is sent again soon after its time. Of a type with a
# limit only as many as there is room for, of a paused one none; while the stack is halted canaries alone. A worker that
# beats lives, and was kept from renewing its leases: it has some more time for that.
OVERDUE = f"""
WITH due AS (
  SELECT id, type, sent_at, sends, state = 'running' AS taken_over,
    CASE state WHEN 'queued' THEN greatest(extract(epoch FROM not_before - now())::float8, 0) END AS delay_s,
    CASE state
      WHEN 'queued' THEN coalesce(not_before + make_interval(secs =>
        CASE WHEN not_before + make_interval(secs => %(grace_s)s) <= now() THEN %(grace_s)s ELSE -%(ahead_s)s END),
        submitted_at)
      WHEN 'retrying' THEN retry_at + make_interval(secs => %(grace_s)s)
      ELSE lease_until END AS since
  FROM job
  WHERE (state = 'queued' AND (not_before IS NULL OR not_before <= now() + make_interval(secs => %(ahead_s)s)))
     OR (state = 'retrying' AND retry_at + make_interval(secs => %(grace_s)s) <= now())
     OR (state = 'running' AND lease_until
       < now() - make_interval(secs => CASE WHEN worker = ANY(%(beating)s) THEN %(spare_s)s ELSE 0 END))
), unsent AS (
  SELECT id, type, taken_over, coalesce(delay_s, 0) AS delay_s, since FROM due
  WHERE (sent_at IS NULL OR sent_at < since OR %(all)s
     OR sent_at < now() - make_interval(secs => %(resend_s)s * power(2, least(sends, 6))))
     AND {unless_halted("type")}
), rule AS (
  SELECT type, paused, max_running FROM queue_rule WHERE paused OR max_running IS NOT NULL
  UNION ALL
  SELECT key, false, value::int FROM jsonb_each_text(%(limits)s::jsonb)
  WHERE key NOT IN (SELECT type FROM queue_rule WHERE paused OR max_running IS NOT NULL)
)
SELECT id, type, taken_over, delay_s FROM (
  SELECT * FROM unsent WHERE type NOT IN (SELECT type FROM rule)
  UNION ALL
  SELECT room.* FROM rule, LATERAL (
    SELECT * FROM unsent WHERE unsent.type = rule.type ORDER BY since LIMIT greatest(rule.max_running - (
      SELECT count(*) FROM job WHERE job.type = rule.type AND state = 'running' AND lease_until >= now()), 0)
    ) AS room
  WHERE NOT rule.paused
) AS sendable ORDER BY since LIMIT %(limit)s
"""  # noqa: S608 - only constants are put together

MARK_SENT = "UPDATE job SET sent_at = now(), sends = sends + 1 WHERE id = ANY(%(ids)s)"
