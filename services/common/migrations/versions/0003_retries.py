"""Whose fault the last failure was; how often a job waited for the stack, and how often it was replayed."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCRIPT = """
ALTER TABLE job ADD COLUMN fault text CHECK (fault IN ('job', 'stack'));
ALTER TABLE job ADD COLUMN deferrals integer NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN replays integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN job.fault IS 'of the last failure: the job itself, or the stack under it';
COMMENT ON COLUMN job.deferrals IS 'attempts given back since the stack failed under them';
COMMENT ON COLUMN job.replays IS 'how often it was dead and queued again by an operator';
COMMENT ON COLUMN job.kills IS 'workers and job processes lost while running this job';
UPDATE job SET fault = 'job' WHERE error_type IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(SCRIPT)
