"""Jobs done in parts: each part is a row that names its job, and that job waits for them.

The index is built while jobs are submitted and done. One that an interrupted migration left is built anew.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

SCRIPT = """
ALTER TABLE job
  ADD COLUMN IF NOT EXISTS parent uuid REFERENCES job ON DELETE CASCADE,
  ADD COLUMN IF NOT EXISTS part integer,
  ADD COLUMN IF NOT EXISTS parts integer;
COMMENT ON COLUMN job.parent IS 'the job that this one is a part of; removed once that one is over';
COMMENT ON COLUMN job.part IS 'which part, from 0';
COMMENT ON COLUMN job.parts IS 'in how many parts the job is done; of a part, how many there are';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS job_part")
        op.execute("CREATE INDEX CONCURRENTLY job_part ON job (parent, part) WHERE parent IS NOT NULL")
