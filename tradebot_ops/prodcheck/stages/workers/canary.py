"""Jobs of our own, all the way: one that is done, and those that fail."""

from tradebot_ops.facts.work import jobs, retries
from tradebot_ops.facts.work.jobs import CANARY_SECONDS, Journey
from tradebot_ops.facts.work.retries import ATTEMPTS, Course, Tries
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


@check(
    "WRK-04",
    "A job that fails is tried again, then given up",
    asks=(retries.tries,),
    source="brief: job retries and dead letters",
    needs=("WRK-02", "WRK-03"),
    anchor="services/worker/attempt.py",
    remedy="tradebot logs worker --tail 50; tradebot jobs list --state dead",
)
def tried_again(tries: Tries) -> Verdict:
    """One job that fails twice must wait each time and succeed at its third attempt; one that always fails must become
    a dead letter, which is then removed. What is given up too soon is lost work, and what is never given up holds up
    everybody. Both are of a type that no alert, panel or key figure counts.
    """
    recovered, given_up = tries.recovered, tries.given_up
    again = 2 * (ATTEMPTS - 1)
    observed = f"{_went(recovered)}; {_went(given_up)}; counted {tries.retries:g} retries, {tries.moves:g} given up"
    expected = f"succeeded and dead after {ATTEMPTS} attempts, a wait before each but the first; counted {again} and 1"
    evidence = f"job {recovered.job_id}: {recovered}\njob {given_up.job_id}: {given_up}"
    if message := _wrong(recovered, "succeeded") or _wrong(given_up, "dead"):
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if tries.retries < again or tries.moves < 1:  # another's run may be counted, too
        message = "Workers do not count what they try again and give up."
        return failed(message, observed=observed, expected=expected, evidence=evidence, hint="tradebot metrics worker")
    if tries.left:
        message = f"The dead letter of this check cannot be removed: {tries.left}"
        hint = "tradebot logs api --tail 50; tradebot jobs list --state dead"
        return failed(message, observed=observed, expected="it is removed", evidence=evidence, hint=hint)
    return passed("A job that fails is tried again, then given up.", observed=observed, evidence=evidence)


def _went(course: Course) -> str:
    waits = " and ".join(quantity(each, "s") for each in course.waits) or "no time"
    return f"{course.state} after {course.attempts} attempts, {waits} between"


def _wrong(course: Course, state: str) -> str:
    """A sentence about what is wrong with how the job went; empty where nothing is."""
    if course.state != state:
        return f"A job that should end as {state} is {course.state} after {course.attempts} of {ATTEMPTS} attempts."
    if course.attempts != ATTEMPTS:
        return f"A job ended as {state} after {course.attempts} attempts where {ATTEMPTS} are right."
    if len(course.waits) != ATTEMPTS - 1:
        return "A job that fails is tried again without a wait."
    return ""
