"""Time of each alert's last notification: Alertmanager repeats itself, and Watchdog exists for its repeats."""

from alembic import op

revision = "0002"
down_revision = "0001"

SCRIPT = """
ALTER TABLE alert_event ADD COLUMN last_received_at timestamptz NOT NULL DEFAULT now();
UPDATE alert_event SET last_received_at = received_at;
CREATE INDEX alert_event_by_name ON alert_event (lower(name), received_at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(SCRIPT)
