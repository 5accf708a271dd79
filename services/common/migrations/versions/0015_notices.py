"""Wishes to be notified of how a job ends, kept until that was done."""

from alembic import op

revision = "0015"
down_revision = "0010"

SCRIPT = """
CREATE TABLE job_notice (
  job_id uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  wish text NOT NULL CHECK (wish IN ('end', 'dead'))
);
COMMENT ON TABLE job_notice IS 'jobs of whose end (or only of whose being given up) people are still to be notified';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
