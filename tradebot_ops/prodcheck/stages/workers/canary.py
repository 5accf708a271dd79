"""A job of our own, all the way."""

from tradebot_ops.facts.work import jobs
from tradebot_ops.facts.work.jobs import CANARY_SECONDS, Journey
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed
from tradebot_ops.text.quantities import quantity


@check(
    "WRK-03",
    "A job goes all the way, and is counted",
    asks=(jobs.canary,),
    severity=Severity.CRITICAL,
    source="brief: jobs are processed",
    needs=("API-01",),
    anchor="services/jobs/canary.py",
    remedy="tradebot status; tradebot logs worker --tail 50",
)
def travelled(journey: Journey) -> Verdict:
    """A canary with a nonce is submitted, and looked for at each hop: taken and done by a worker, kept in the ledger,
    counted by that worker, and scraped. Every part may be well by itself while the way between two is not.
    """
    hops = "; ".join(f"{hop.name} {quantity(hop.seconds, 's')}" for hop in journey.hops)
    evidence = f"job {journey.job_id or '-'}: {hops}"
    observed = f"held: {', '.join(hop.name for hop in journey.hops if not hop.broken) or 'nothing'}"
    if hop := journey.broken:
        message = f"A job got lost at the hop '{hop.name}': {hop.broken}."
        expected = f"a result within {CANARY_SECONDS:g} s, in the ledger, counted and scraped"
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if journey.unmeasured:
        observed += "; no Prometheus in this profile"
    return passed("A job goes all the way.", observed=observed, evidence=evidence)
