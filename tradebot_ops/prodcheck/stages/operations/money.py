"""Money: what only a connected exchange can answer. Without one nothing here passes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NoReturn

from tradebot_ops.facts.project import bots, halt_drill, unbuilt
from tradebot_ops.facts.project.bots import Trading
from tradebot_ops.facts.project.halt_drill import Drilled
from tradebot_ops.facts.work import halt
from tradebot_ops.facts.work.halt import Halt
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, unjudged, warned, worst
from tradebot_ops.text.quantities import age, quantity

#: Bots and exchanges change; what stopped them a quarter of a year ago may not.
TRIED = timedelta(days=90)
ONLY_WARN = {"dev": Level.WARN, "staging": Level.WARN, "prod": Level.WARN}


@check(
    "OPS-10",
    "Trading is as safe as declared",
    asks=(bots.trading, halt.halt),
    severity=Severity.CRITICAL,
    source="brief: trading bot in production",
    anchor=".env",
    remedy="tradebot positions",
)
def trading_safe(trading: Trading, halted: Halt | None) -> Verdict:
    """Live in production alone, not halted, one instance an account, clocks that agree, and fresh market data. Whether
    its key can withdraw no bot shows.
    """
    observed = f"{trading.adapter}: {trading.mode} in {trading.env}"
    verdicts = [
        judge(message, observed=observed, expected="live in prod alone, one instance, a clock and prices of now")
        for judge, message in _faults(trading, halted)
    ]
    return worst(verdicts) if verdicts else passed(f"{observed}, and nothing speaks against it.", observed=observed)


def _faults(trading: Trading, halted: Halt | None) -> Iterator[tuple[Callable[..., Verdict], str]]:
    if trading.mode == "live" and trading.env != "prod":
        yield failed, f"{trading.adapter} trades with money, and this stack is for {trading.env}."
    yield from _others(trading)
    if trading.mode == "paper" and trading.env == "prod":
        yield warned, f"{trading.adapter} trades on paper, and this stack is for production."
    if halted is not None:
        yield warned, f"{halted.by} halted the stack {quantity(halted.seconds, 's')} ago."
    if not trading.opening:
        yield warned, f"{trading.adapter} opens no positions: it is halted or stopped."
    if trading.clock_off:
        yield warned, f"The clock of {trading.adapter} is off by {quantity(trading.clock_off, 's')}."
    if trading.candle_age is None or trading.candle is None:
        yield warned, f"How old the prices of {trading.adapter} are is not known."
    elif trading.feed_stale:
        yield warned, f"The newest candle of {trading.adapter} ended {quantity(trading.candle_age, 's')} ago."


def _others(trading: Trading) -> Iterator[tuple[Callable[..., Verdict], str]]:
    """Who else trades on its account."""
    if trading.second_instance:
        yield failed, trading.second_instance
    if trading.foreign:
        yield warned, trading.others_hold
    for sentence in trading.others_not_known:
        yield warned, sentence


@check(
    "OPS-12",
    "The stop works",
    asks=(halt_drill.drilled,),
    severity=Severity.CRITICAL,
    source="incidents: kill switches that were never tried",
    anchor=".env",
    remedy="tradebot halt --reason drill",
    at_most=ONLY_WARN,
)
def stop_works(drilled: Drilled) -> Verdict:
    """A stop that nobody tried leaves the resting orders of a halted bot in the market. A halt counts that ended with
    0: the bot was read then, and had done it.
    """
    expected = f"one of the last {TRIED.days} days, and one that had resting orders to cancel"
    bot, last, orders = drilled.adapter, drilled.halted, drilled.cancelled
    if last is None:
        return warned(f"No halt of {bot} was tried here.", expected=expected)
    observed = f"a halt {age(last)} ago, {f'with orders {age(orders)} ago' if orders else 'never with orders'}"
    if last > TRIED:
        return warned(f"The last halt of {bot} that worked was {age(last)} ago.", observed=observed, expected=expected)
    if orders is None or orders > TRIED:
        none = f"No halt of {bot} in {TRIED.days} days had resting orders to cancel."
        return warned(none, observed=observed, expected=expected)
    return passed(f"A halt stopped {bot} and cancelled what was resting.", observed=observed, expected=expected)


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
