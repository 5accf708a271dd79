"""Notes of `tradebot backup` for the metrics: the files themselves lie where no service looks."""

from alembic import op

revision = "0020"
down_revision = "0019"

SCRIPT = """
CREATE TABLE backup_note (
  what text PRIMARY KEY CHECK (what IN ('taken', 'proved', 'clearing_failed')),
  at timestamptz NOT NULL
);
COMMENT ON TABLE backup_note IS
  'the newest whole backup, the last restore that was proved, and since when old backups cannot be cleared away';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
