"""Effects of a job that were done, so that a second run of it leaves them out."""

from alembic import op

revision = "0005"
down_revision = "0004"

SCRIPT = """
CREATE TABLE job_effect (
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  key text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job_id, key)
);
COMMENT ON TABLE job_effect IS 'what a job did in the same transaction as this row, and will not do again';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
