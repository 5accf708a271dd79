"""Stage 6: what is written stays written, and nobody reads it who should not."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    6, "DAT", "Data stores", "Redis and Postgres keep what they are given, have room, and let in only whom they should."
)
