"""A session of Postgres blocks others."""

from tradebot_ops.diagnostics.cause import Cause
from tradebot_ops.diagnostics.signs import blocked

CAUSE = Cause(
    "postgres-locked",
    "A session of Postgres blocks others.",
    signs=(blocked,),
    explains=(
        "postgres-locks",
        "api",
        "worker",
        "queue",
        "requests",
    ),
    depth=3,
    mend="tradebot diag postgres",
)
