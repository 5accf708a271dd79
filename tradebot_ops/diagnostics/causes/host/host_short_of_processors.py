"""The host is short of processors."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import api_slow, pressed

CAUSE = Cause(
    "host-short-of-processors",
    "The host is short of processors.",
    signs=(
        pressed("cpu", 0.6),
        api_slow,
    ),
    explains=("requests",),
    depth=4,
    background=True,
    mend="tradebot optimize plan",
)
