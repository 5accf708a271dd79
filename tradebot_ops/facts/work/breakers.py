"""Circuit breakers, as the API reports them."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Breaker:
    """One breaker; ``error`` is the last failure of the service behind it."""

    name: str
    open: bool
    trips: int
    error: str


@fact()
def breakers(ops: Ops) -> tuple[Breaker, ...]:
    """Those that ever saw a failure."""
    return tuple(Breaker(each["name"], each["open"], each["trips"], each["error"]) for each in ops.api.breakers())
