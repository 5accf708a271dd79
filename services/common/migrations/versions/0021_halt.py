"""The halt of the whole stack: one row in force at most, the earlier ones beside it."""

from alembic import op

revision = "0021"
down_revision = "0020"

SCRIPT = """
CREATE TABLE halt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  by text NOT NULL,
  reason text NOT NULL,
  ended_at timestamptz,
  ended_by text,
  ended_reason text
);
CREATE UNIQUE INDEX halt_in_force ON halt ((true)) WHERE ended_at IS NULL;
COMMENT ON TABLE halt IS 'while a row has no ended_at no job starts and none is accepted, but for canaries';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
