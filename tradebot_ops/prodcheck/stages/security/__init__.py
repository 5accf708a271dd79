"""Stage 9: nobody gets in, or further, who should not."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    9,
    "SEC",
    "Security",
    "Strangers find closed doors, services hold no right that they do not need, secrets stay secret.",
)
