"""The API gets more requests than it can answer."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import api_fails, api_slow, blocked, connections_taken, hung, stopped

CAUSE = Cause(
    "api-overloaded",
    "The API gets more requests than it can answer.",
    signs=(api_slow,),
    rivals=(
        connections_taken,
        blocked,
        api_fails,
        stopped("postgres"),
        hung("postgres"),
        stopped("redis"),
        hung("redis"),
    ),
    explains=("requests",),
    depth=0,
    background=True,
    mend="tradebot diag performance",
)
