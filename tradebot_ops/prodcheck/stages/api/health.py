"""The API's health: that it answers, and that what it says of others is true."""

from tradebot_ops.clients.api import Answer
from tradebot_ops.facts import api
from tradebot_ops.facts.api import Health
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.sentences import shortened

SLOW_SECONDS = 1.0
NAMED = ("redis", "postgres", "workers", "queue")


@check(
    "API-01",
    "The API answers, time after time",
    asks=(api.pings,),
    severity=Severity.CRITICAL,
    source="brief: API health",
    needs=("ENG-01",),
    anchor="compose.yaml#api",
    remedy="tradebot logs api --tail 50",
)
def answers(answers: tuple[Answer, ...]) -> Verdict:
    """Five requests for its health, each must succeed. An API that answers only sometimes loses jobs only sometimes,
    which is found last.
    """
    statuses = [answer.status for answer in answers]
    slowest = max(answer.seconds for answer in answers)
    observed = f"{statuses.count(200)} of {len(answers)}, slowest {1000 * slowest:.0f} ms"
    evidence = f"GET /health: HTTP {', '.join(map(str, statuses))}\n{shortened(answers[-1].text, 300)}"
    if set(statuses) != {200}:
        message = f"{len(statuses) - statuses.count(200)} of {len(statuses)} requests for its health failed."
        return failed(message, observed=observed, expected="HTTP 200 each time", evidence=evidence)
    if slowest >= SLOW_SECONDS:
        message = f"The API took {slowest:.1f} s to say how it is."
        return warned(message, observed=observed, expected=f"under {SLOW_SECONDS:g} s", evidence=evidence)
    return passed("The API answers each time.", observed=observed, evidence=evidence)


@check(
    "API-02",
    "What the API says of the stores is true",
    asks=(api.health,),
    severity=Severity.CRITICAL,
    source="brief: enhanced health endpoint",
    needs=("API-01",),
    anchor="compose.yaml#api",
    remedy="tradebot status",
)
def truthful(health: Health) -> Verdict:
    """Each dependency is named with its state and latency, and Redis and Postgres are asked once more from here: a
    health page that says "ok" of a store that is away is worse than none.
    """
    found = health.document.get("dependencies", {})
    wrong = [f"{name} is not named" for name in NAMED if name not in found]
    for name, facts in found.items():
        if facts.get("status") == "ok" and facts.get("latency_ms") is None:
            wrong.append(f"{name} has no latency")
        why = health.ours.get(name)
        if facts.get("status") == "ok" and why:
            wrong.append(f'{name} is called "ok" and does not answer')
        if facts.get("status") == "down" and why == "":
            wrong.append(f'{name} is called "down" and answers')
    observed = ", ".join(f"{name} {facts.get('status')}" for name, facts in found.items())
    evidence = f"GET /health: {dict(found)}\nasked from here: {dict(health.ours)}"
    if wrong:
        message = f"The API's health is wrong: {'; '.join(wrong[:3])}."
        return failed(message, observed=observed, expected="each named, with latency, as it is", evidence=evidence)
    return passed("The API's health is true.", observed=observed, evidence=evidence)
