"""Stage 3: every service runs, and goes on running."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(3, "SVC", "Services and health", "Everything that is described runs, is healthy and stays so.")
