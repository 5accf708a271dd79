"""A note of the last backup that failed its verification: the age of the last proof alone showed it."""

from alembic import op

revision = "0023"
down_revision = "0022"

SCRIPT = """
ALTER TABLE backup_note DROP CONSTRAINT backup_note_what_check,
  ADD CONSTRAINT backup_note_what_check CHECK (what IN ('taken', 'proved', 'refuted', 'clearing_failed'));
COMMENT ON TABLE backup_note IS
  'the newest whole backup, the last restore that was proved and the last that failed, and a clearing that failed';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
