"""A ledger that stays fast with a long past: indexes for what is counted, and a vacuum that comes in time.

Indexes are built while jobs go on, so that no lock is held for longer than a moment. What was built in part when a
migration was interrupted is built anew.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# By the time of their end jobs are summed up, and forgotten.
# Dead ones are counted and grouped from the index alone; the group's pages are in its order.
INDEXES = {
    "job_finished": "job (finished_at) WHERE finished_at IS NOT NULL",
    "job_dead_by_group": "job (fingerprint, submitted_at DESC, id DESC) INCLUDE (type, finished_at, replays)"
    " WHERE state = 'dead'",
}

# A fifth of a large table, the usual amount, would leave the indexes full of what is no more. Room in each page is
# for leases and progress, which are written many times and in no index.
SCRIPT = """
ALTER TABLE job SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE job_event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE TABLE quarantine (
  name text PRIMARY KEY,
  reason text NOT NULL DEFAULT '',
  by text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE quarantine IS 'dead jobs with this fingerprint or type are set aside: no alert, no replay of all';
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS job_dead_by_fingerprint")
    op.execute(SCRIPT)
