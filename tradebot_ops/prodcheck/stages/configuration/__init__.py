"""Stage 2: what is written is complete, safe and in force."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    2,
    "CFG",
    "Configuration and secrets",
    "What is written is complete and makes sense, secrets are kept, and what runs is what is written.",
)
