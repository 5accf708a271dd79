"""Candle files that were uploaded, in parts, until a job has loaded them."""

from alembic import op

revision = "0018"
down_revision = "0017"

SCRIPT = """
CREATE TABLE candle_file (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  bytes bigint NOT NULL DEFAULT 0,
  complete boolean NOT NULL DEFAULT false,
  uploaded_by text NOT NULL DEFAULT '',
  uploaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX candle_file_by_name ON candle_file (name) WHERE complete;
CREATE TABLE candle_file_part (
  file_id uuid NOT NULL REFERENCES candle_file ON DELETE CASCADE,
  number integer NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (file_id, number)
);
COMMENT ON TABLE candle_file IS 'uploaded candle files; one that a job has loaded is removed with it';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
