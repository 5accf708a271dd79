"""Money: what only a connected exchange can answer. Without one nothing here passes."""

from typing import NoReturn

from tradebot_ops.facts.project import unbuilt
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, check, unjudged

ONLY_WARN = {"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN}


@check(
    "OPS-10",
    "Trading is as safe as declared",
    asks=(unbuilt.exchange,),
    severity=Severity.CRITICAL,
    source="brief: trading bot in production",
    anchor=".env",
    remedy="tradebot status",
)
def trading_safe(exchange: object) -> NoReturn:
    """Paper or live as declared, not halted, one instance an account, clocks that agree, fresh market data, and a key
    that cannot withdraw.
    """
    raise unjudged(exchange)


@check(
    "OPS-12",
    "The stop works",
    asks=(unbuilt.exchange,),
    severity=Severity.CRITICAL,
    source="incidents: kill switches that were never tried",
    anchor=".env",
    remedy="tradebot status",
    at_most=ONLY_WARN,
)
def stop_works(exchange: object) -> NoReturn:
    """A stop that nobody tried leaves the resting orders of a halted bot in the market."""
    raise unjudged(exchange)


@check(
    "OPS-15",
    "The exchange's keys are limited to our address, and last",
    asks=(unbuilt.exchange,),
    severity=Severity.MAJOR,
    source="exchanges: API key restrictions",
    anchor=".env",
    remedy="tradebot status",
)
def keys_limited(exchange: object) -> NoReturn:
    """A key that works from anywhere is the thief's, too; one that ends stops trading on that day."""
    raise unjudged(exchange)


@check(
    "OPS-16",
    "Maintenance of the exchange is known",
    asks=(unbuilt.exchange,),
    severity=Severity.MINOR,
    source="exchanges: status pages",
    anchor=".env",
    remedy="tradebot status",
    at_most=ONLY_WARN,
)
def maintenance_known(exchange: object) -> NoReturn:
    """Alarms during an announced outage teach people to look away, and those after it must come."""
    raise unjudged(exchange)
