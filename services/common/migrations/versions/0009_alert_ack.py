"""Acknowledgements of alerts: who looked at a firing, why, and whether it was a false one."""

from alembic import op

revision = "0009"
down_revision = "0005"

SCRIPT = """
CREATE TABLE alert_ack (
  fingerprint text NOT NULL,
  starts_at timestamptz NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  by text NOT NULL,
  reason text NOT NULL DEFAULT '',
  false_positive boolean NOT NULL,
  PRIMARY KEY (fingerprint, starts_at)
);
COMMENT ON TABLE alert_ack IS 'about one firing, which is an alert (fingerprint) from one start; the next has none';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
