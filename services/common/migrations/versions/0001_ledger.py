"""Jobs, their events, candles, counted API errors and stored alerts."""

from alembic import op

revision = "0001"
down_revision = None

JOBS = """
CREATE TABLE job (
  id uuid PRIMARY KEY,
  type text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  payload jsonb NOT NULL,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'running', 'retrying', 'succeeded', 'dead', 'cancelled')),
  attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  max_attempts integer NOT NULL DEFAULT 3 CHECK (max_attempts >= 1),
  kills integer NOT NULL DEFAULT 0,
  lease_token bigint NOT NULL DEFAULT 0,
  worker text,
  lease_until timestamptz,
  retry_at timestamptz,
  cancel_requested_at timestamptz,
  idempotency_key text UNIQUE,
  submitted_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  sent_at timestamptz,
  sends integer NOT NULL DEFAULT 0,
  progress double precision NOT NULL DEFAULT 0,
  note text NOT NULL DEFAULT '',
  result json, -- as the job wrote it: jsonb would sort the keys
  error_type text,
  message text,
  traceback text,
  fingerprint text,
  peak_memory_bytes bigint,
  trace_id text NOT NULL DEFAULT ''
);
CREATE INDEX job_newest ON job (submitted_at DESC, id DESC);
CREATE INDEX job_by_state ON job (state, submitted_at DESC, id DESC);
CREATE INDEX job_by_type ON job (type, submitted_at DESC, id DESC);
CREATE INDEX job_dead_by_fingerprint ON job (fingerprint) WHERE state = 'dead';
COMMENT ON COLUMN job.lease_token IS 'fencing token: grows at every claim, never falls';
COMMENT ON COLUMN job.kills IS 'workers lost while running this job';
COMMENT ON COLUMN job.sent_at IS 'when the id last went to the transport; NULL: the sweeper is to send it';

CREATE TABLE job_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT now(),
  state text NOT NULL,
  by text NOT NULL,
  note text NOT NULL DEFAULT ''
);
CREATE INDEX job_event_by_job ON job_event (job_id, id);
"""

CANDLES = """
CREATE TABLE series (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  symbol text NOT NULL,
  interval text NOT NULL,
  UNIQUE (symbol, interval)
);
-- No foreign key: checking it row by row doubles the time of a load, and there is but one place that writes.
CREATE TABLE candle (
  series_id integer NOT NULL,
  ts timestamptz NOT NULL,
  o double precision NOT NULL,
  h double precision NOT NULL,
  l double precision NOT NULL,
  c double precision NOT NULL,
  v double precision NOT NULL,
  adj_close double precision,
  PRIMARY KEY (series_id, ts)
);
CREATE TABLE candle_rejected (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series_id integer NOT NULL REFERENCES series ON DELETE CASCADE,
  ts timestamptz,
  row jsonb NOT NULL,
  reason text NOT NULL,
  rejected_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX candle_rejected_by_series ON candle_rejected (series_id, ts);
"""

REPORTS = """
CREATE TABLE api_error (
  fingerprint text PRIMARY KEY,
  type text NOT NULL,
  message text NOT NULL,
  location text NOT NULL,
  traceback text NOT NULL DEFAULT '',
  count bigint NOT NULL DEFAULT 0,
  first_seen timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_error_latest ON api_error (last_seen DESC);

CREATE TABLE alert_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now(),
  fingerprint text NOT NULL,
  name text NOT NULL,
  status text NOT NULL,
  severity text NOT NULL DEFAULT '',
  starts_at timestamptz NOT NULL,
  ends_at timestamptz,
  labels jsonb NOT NULL,
  annotations jsonb NOT NULL,
  UNIQUE (fingerprint, starts_at, status)
);
CREATE INDEX alert_event_latest ON alert_event (received_at DESC, id DESC);
"""


def upgrade() -> None:
    for script in (JOBS, CANDLES, REPORTS):
        op.execute(script)
