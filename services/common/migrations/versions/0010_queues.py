"""Rules of operators for a type of job (paused, closed, a limit), jobs for later, and schedules."""

from alembic import op

revision = "0010"
down_revision = "0009"

SCRIPT = """
ALTER TABLE job ADD COLUMN not_before timestamptz;
COMMENT ON COLUMN job.not_before IS 'a queued job does not start earlier than this; NULL: at once';

CREATE TABLE queue_rule (
  type text PRIMARY KEY,
  paused boolean NOT NULL DEFAULT false,
  closed boolean NOT NULL DEFAULT false,
  max_running integer CHECK (max_running >= 1),
  reason text NOT NULL DEFAULT '',
  by text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN queue_rule.paused IS 'no job of this type starts; what runs goes on';
COMMENT ON COLUMN queue_rule.closed IS 'no new job of this type is accepted';
COMMENT ON COLUMN queue_rule.max_running IS 'so many jobs of this type run at once; NULL: as the type declares';

CREATE TABLE schedule (
  name text PRIMARY KEY,
  type text NOT NULL,
  version integer NOT NULL,
  payload jsonb NOT NULL,
  max_attempts integer NOT NULL,
  cron text NOT NULL,
  zone text NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  next_at timestamptz,
  last_at timestamptz,
  last_job uuid,
  missed integer NOT NULL DEFAULT 0
);
COMMENT ON COLUMN schedule.next_at IS 'the first time for which no job was made yet; NULL: there is no further one';
COMMENT ON COLUMN schedule.missed IS 'times without a job: no worker was there, or the type was closed';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
