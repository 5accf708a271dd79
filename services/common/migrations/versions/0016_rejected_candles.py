"""Rejected candles keep their file, line and kind of reason; how many there were is counted beside them."""

from alembic import op

revision = "0016"
down_revision = "0015"

SCRIPT = """
ALTER TABLE candle_rejected
  ADD file text NOT NULL DEFAULT '',
  ADD line bigint,
  ADD kind text NOT NULL DEFAULT '';
UPDATE candle_rejected SET kind = reason;
CREATE INDEX candle_rejected_by_file ON candle_rejected (file, kind, line);
COMMENT ON COLUMN candle_rejected.row IS 'the cells as they stand in the file, by its own names of the columns';
COMMENT ON TABLE candle_rejected IS 'the first rows of each kind of reason and file; candle_rejected_count has all';

CREATE TABLE candle_rejected_count (
  series_id integer NOT NULL REFERENCES series ON DELETE CASCADE,
  file text NOT NULL,
  kind text NOT NULL,
  rows bigint NOT NULL,
  counted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (series_id, file, kind)
);
COMMENT ON TABLE candle_rejected_count IS 'rows that the last load of a file rejected';
INSERT INTO candle_rejected_count (series_id, file, kind, rows)
SELECT series_id, file, kind, count(*) FROM candle_rejected GROUP BY series_id, file, kind;
"""


def upgrade() -> None:
    op.execute(SCRIPT)
