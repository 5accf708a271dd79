"""Stage 1: what everything stands on."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(1, "ENG", "Engine and host", "The engine answers and can run containers, and the host has room for them.")
