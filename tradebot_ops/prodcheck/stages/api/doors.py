"""Who may do what: the API's doors, and how it does without Redis."""

from typing import NoReturn

from tradebot_ops.facts import api
from tradebot_ops.facts.api import Doors
from tradebot_ops.facts.project import stack
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, unjudged, warned

REFUSED = (401, 403)


@check(
    "API-09",
    "The API refuses strangers and nonsense",
    asks=(api.doors, stack.environment),
    severity=Severity.CRITICAL,
    source="OWASP API Security 2023: API2, API4",
    needs=("API-01",),
    anchor="services/api/security.py",
    remedy="tradebot restart api",
)
def shut(doors: Doors, environment: str) -> Verdict:
    """Jobs and alerts are posted without a key, a method is used that a route does not have, and a body is declared
    that is far too large. Whoever may post jobs may trade; whoever may post alerts may hide one.
    """
    rules = {
        "POST /jobs without a key": (doors.job, REFUSED),
        "POST /alerts/webhook without a token": (doors.webhook, REFUSED),
        "PUT /jobs": (doors.method, (405,)),
        "POST of 64 MiB": (doors.body, (413,)),
    }
    observed = ", ".join(f"{what}: {status}" for what, (status, _) in rules.items())
    wrong = [f"{what} got HTTP {status}" for what, (status, right) in rules.items() if status not in right]
    evidence = f"{observed}, GET /docs: {doors.docs}"
    if wrong:
        message = f"The API does not refuse what it must: {'; '.join(wrong)}."
        return failed(message, observed=observed, expected="401 or 403, 401 or 403, 405, 413", evidence=evidence)
    if environment == "prod" and doors.docs < 300:
        message = "The API shows its documentation to anybody."
        return warned(message, observed=f"GET /docs: {doors.docs}", expected="off or protected", evidence=evidence)
    return passed("The API refuses strangers and nonsense.", observed=observed, evidence=evidence)


@check(
    "API-10",
    "The API was seen to cope without Redis",
    asks=(api.outage_drill,),
    source="brief: graceful degradation",
    anchor="services/api/routes/jobs.py",
    remedy="tradebot status",
)
def rehearsed(drill: object) -> NoReturn:
    """How the API answers while Redis is away is proved by taking Redis away, which a check may not; so the last
    rehearsal must not be old.
    """
    raise unjudged(drill)
