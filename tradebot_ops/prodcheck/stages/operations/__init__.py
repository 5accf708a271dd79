"""Stage 10: people know what to do, there is a way back, and the money is safe."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    10,
    "OPS",
    "Operations: recovery, people, money",
    "What goes wrong can be undone, people know how, and trading stops when it must.",
)
