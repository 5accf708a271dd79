"""Wishes of schedules to notify people of how their jobs end."""

from alembic import op

revision = "0017"
down_revision = "0016"

SCRIPT = """
ALTER TABLE schedule ADD COLUMN notify text CHECK (notify IN ('end', 'dead'));
COMMENT ON COLUMN schedule.notify IS 'of which ends of its jobs people are notified, null: none';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
