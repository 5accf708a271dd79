"""How much workers have to do, and what that costs."""

from collections.abc import Sequence
from typing import NoReturn

from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.project import unbuilt
from tradebot_ops.facts.work import breakers, worker_load, workers
from tradebot_ops.facts.work.breakers import Breaker
from tradebot_ops.facts.work.worker_load import Growth, Utilisation
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, unjudged, warned
from tradebot_ops.text.quantities import human_bytes, quantity

IDLE, BUSY, FULL = 0.4, 0.9, 0.95
#: So much work at least, or few busy workers are no waste but a quiet hour.
SOME_WORK = 0.5
WINDOW_S = 840.0
#: A slope of less than an hour is a start, not a leak.
LEAST_S = 3600.0
SOON_S = 86_400.0


@check(
    "WRK-05",
    "Circuit breakers are closed",
    asks=(breakers.breakers,),
    source="brief: circuit breakers",
    needs=("API-01",),
    anchor="services/common/breaker.py",
    remedy="tradebot breakers list",
)
def closed(found: Sequence[Breaker]) -> Verdict:
    """An open breaker means that an outside service is away, and that jobs are put off for it."""
    away = [each for each in found if each.open]
    observed = f"{len(away)} of {len(found)} open"
    if away:
        errors = "; ".join(f"{each.name}: {each.error}" for each in away)
        return warned("Jobs wait for a service outside of the stack.", observed=observed, evidence=errors)
    return passed("Nothing outside of the stack is away.", observed=observed)


@check(
    "WRK-09",
    "Workers are busy, and not too busy",
    asks=(worker_load.utilisation,),
    source="brief: worker utilisation 60–80 %",
    needs=("MON-01",),
    anchor="config/prometheus/rules/workers.yml",
    remedy="tradebot query 'workers:utilisation:avg15m'",
)
def utilised(found: Utilisation) -> Verdict:
    """Workers that are always busy have no room for one job more; many that are hardly busy cost memory for nothing. A
    stack with nothing to do is well: only work that is shared by too many is waste.
    """
    observed = f"{100 * found.share:.0f} % busy, {found.workers} workers, {found.busy:.1f} workers' worth of work"
    evidence = f"{worker_load.BUSY} = {found.share:.3f}, over {quantity(found.seconds, 's')} on record"
    expected = f"{100 * IDLE:.0f}–{100 * BUSY:.0f} %"
    more = f"tradebot scale workers {found.workers + max(1, found.workers // 2)}"
    if found.share > FULL and found.seconds >= WINDOW_S:
        message = "Workers have had no rest for 15 minutes."
        return failed(message, observed=observed, expected=expected, evidence=evidence, hint=more)
    if found.share > BUSY:
        message = "Workers hardly rest."
        return warned(message, observed=observed, expected=expected, evidence=evidence, hint=more)
    if found.share < IDLE and found.busy > SOME_WORK and found.workers > 1:
        message = "There are more workers than the work needs."
        hint = f"tradebot scale workers {max(1, round(found.busy / 0.7))}"
        return warned(message, observed=observed, expected=expected, evidence=evidence, hint=hint)
    return passed("Workers are as busy as they should be.", observed=observed, evidence=evidence)


@check(
    "WRK-12",
    "No worker's memory runs full within a day",
    asks=(worker_load.growth, workers.memory_limit),
    source="incidents: slow leaks",
    needs=("MON-01",),
    anchor="compose.yaml#worker",
    remedy="tradebot restart worker",
)
def steady(growth: Sequence[Growth], limit: int | None) -> Verdict:
    """The course of six hours, drawn on: a leak is harmless until the night in which it meets the limit."""
    known = [each for each in growth if each.seconds >= LEAST_S]
    if not known:
        span = max((each.seconds for each in growth), default=0.0)
        return skipped(Skip.PREREQUISITE, f"Only {quantity(span, 's')} are on record; an hour is needed to judge.")
    fastest = max(known, key=lambda each: each.slope)
    observed = f"{fastest.instance} grows by {human_bytes(int(max(fastest.slope, 0.0) * 3600))} an hour"
    evidence = "\n".join(
        f"{each.instance}: {human_bytes(int(each.memory))}, {each.slope:+.0f} B/s over {quantity(each.seconds, 's')}"
        for each in known
    )
    if limit is None:
        return passed("Nothing limits workers.", observed=observed, evidence=evidence)
    full = {each.instance: (limit - each.memory) / each.slope for each in known if each.slope > 0}
    first = min(full, key=lambda name: full[name], default="")
    if first and full[first] < SOON_S:
        message = f"{first} reaches its memory limit in {quantity(max(full[first], 1.0), 's')}."
        expected = f"not within {quantity(SOON_S, 's')}"
        return warned(message, observed=observed, expected=expected, evidence=evidence)
    return passed("No worker's memory runs full soon.", observed=observed, evidence=evidence)


@check(
    "WRK-13",
    "Workers together stay within the exchange's limits",
    asks=(unbuilt.exchange,),
    severity=Severity.MAJOR,
    source="exchanges: rate limits per address",
    anchor=".env",
    remedy="tradebot status",
    at_most={"dev": Level.WARN},
)
def within_limits(exchange: object) -> NoReturn:
    """Each process that keeps to the limit by itself is one too many as soon as there are two."""
    raise unjudged(exchange)
