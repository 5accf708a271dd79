"""A ledger with a long past: jobs that ended, and jobs that were given up, as the worker would have left them."""

import psycopg

_ENDED = """
WITH ended AS (
  INSERT INTO job (id, type, payload, state, attempt, worker, submitted_at, started_at, finished_at, sent_at, sends,
                   progress, result, peak_memory_bytes)
  SELECT gen_random_uuid(), (ARRAY['backtest', 'sweep', 'canary', 'load_candles'])[1 + n %% 4], '{"symbol": "AAPL"}',
         CASE WHEN n %% 50 = 0 THEN 'cancelled' ELSE 'succeeded' END, 1, 'worker-1', at, at + interval '1 second',
         at + interval '1 second' * (2 + n %% 10), at, 1, 1,
         json_build_object('metrics', json_build_object('sharpe', n / 7.0), 'curve', repeat('1.0,', 50)), 100000000
  FROM (SELECT n, now() - n * interval '2.5 seconds' AS at FROM generate_series(%s::int, %s::int) AS n) AS made
  RETURNING id, state, submitted_at
)
INSERT INTO job_event (job_id, state, by, at)
SELECT id, each, 'worker-1', submitted_at FROM ended, unnest(ARRAY['queued', 'running', state]) AS each
"""
_DEAD = """
WITH dead AS (
  INSERT INTO job (id, type, payload, state, attempt, submitted_at, started_at, finished_at, error_type, message,
                   traceback, fingerprint)
  SELECT gen_random_uuid(), 'backtest', '{"symbol": "NOSUCH"}', 'dead', 3, at, at, at + interval '5 seconds',
         'KeyError', 'There is no symbol number ' || n,
         repeat('  File "backtest.py", line 7, in run' || chr(10), 40), md5((n %% 300)::text)
  FROM (SELECT n, now() - n * interval '30 milliseconds' AS at FROM generate_series(%s::int, %s::int) AS n) AS made
  RETURNING id
)
INSERT INTO job_event (job_id, state, by) SELECT id, 'dead', 'worker-1' FROM dead
"""


def add_ended(connection: psycopg.Connection, numbers: range) -> None:
    """Jobs that succeeded, one in fifty cancelled; number n was submitted n times 2.5 seconds ago."""
    connection.execute(_ENDED, (numbers.start, numbers.stop - 1))


def add_dead(connection: psycopg.Connection, numbers: range) -> None:
    """Dead jobs in 300 groups; number n was submitted n times 30 milliseconds ago."""
    connection.execute(_DEAD, (numbers.start, numbers.stop - 1))
