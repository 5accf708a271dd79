"""``postgres_exporter``: told where Postgres is by its environment, the password by a file."""

from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Program

PROGRAM = Program(
    ("postgres_exporter",), fetched.launching("postgres_exporter"), obtain=fetched.obtaining("postgres_exporter")
)
