"""Whether the stack is halted, as the ledger has it."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact

#: True while no job but a canary may start: what waits then is late for nobody's fault.
IN_FORCE = "EXISTS (SELECT FROM halt WHERE ended_at IS NULL)"
#: Their types trade nothing, and go on.
HARMLESS = ("canary", "failing_canary")
#: That the ledger lets a job start, or that the job is one of those.
MAY_START = f"(NOT {IN_FORCE} OR type IN {HARMLESS})"
_HALT = "SELECT by, reason, extract(epoch FROM now() - at)::float8 AS seconds FROM halt WHERE ended_at IS NULL"


@dataclass(frozen=True)
class Halt:
    """The halt in force: by whom, why, and for how many seconds."""

    by: str
    reason: str
    seconds: float


@fact(seconds=7)
def halt(ops: Ops) -> Halt | None:
    """None while the stack is not halted."""
    return next((Halt(**row) for row in ops.postgres.rows(_HALT)), None)
