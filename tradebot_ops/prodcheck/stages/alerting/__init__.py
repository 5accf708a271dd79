"""Stage 8: whether alerts reach people."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    8,
    "ALR",
    "Alerting and notifications",
    "Every alert of the brief is loaded and tested, and reaches a person who can act on it.",
)
