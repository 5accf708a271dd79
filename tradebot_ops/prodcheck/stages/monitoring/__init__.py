"""Stage 7: what is measured, and whether it can be believed."""

from tradebot_ops.prodcheck.check import Stage

STAGE = Stage(
    7,
    "MON",
    "Monitoring pipeline",
    "Everything is scraped, evaluated and shown, and what is written down is what runs.",
)
