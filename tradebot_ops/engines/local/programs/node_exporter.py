"""``node_exporter``: measures this host."""

from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Program

PROGRAM = Program(("node_exporter",), fetched.launching("node_exporter"), obtain=fetched.obtaining("node_exporter"))
