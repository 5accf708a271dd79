"""Named keys of the API, of which only a hash is kept, and what was changed with them or with the stack's own key."""

from alembic import op

revision = "0022"
down_revision = "0021"

SCRIPT = """
CREATE TABLE api_key (
  id text PRIMARY KEY,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('read', 'operate', 'admin')),
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text
);
CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE revoked_at IS NULL;
COMMENT ON TABLE api_key IS 'named keys of the API; the key itself is shown once and stored nowhere';

CREATE TABLE api_call (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  by text NOT NULL,
  method text NOT NULL,
  route text NOT NULL,
  path text NOT NULL,
  status integer NOT NULL,
  request_id text NOT NULL
);
CREATE INDEX api_call_at ON api_call (at);
COMMENT ON TABLE api_call IS 'changes that were asked of the API directly, not by the command tradebot';
"""


def upgrade() -> None:
    op.execute(SCRIPT)
