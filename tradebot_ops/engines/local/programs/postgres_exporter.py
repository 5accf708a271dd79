"""``postgres_exporter``: gets Postgres' address from its environment, the password from a file."""

from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Program

PROGRAM = Program(
    ("postgres_exporter",), fetched.launching("postgres_exporter"), obtain=fetched.obtaining("postgres_exporter")
)
