"""Stage 5: workers live, take jobs, and finish or give up each of them where it can be seen."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(5, "WRK", "Workers and queue", "Each job is taken, done once, and none is lost.")
