"""Stage 4: the API answers, measures itself, and lets nobody in."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(4, "API", "API", "The API answers soon, counts what it does, and refuses whom it does not know.")
