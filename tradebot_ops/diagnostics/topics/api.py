"""The API: whether it answers, how fast, how often it fails, and what it says of its stores."""

from tradebot_ops.clients.api import Answer
from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts import api, requests
from tradebot_ops.text.quantities import quantity

TOPIC = Topic("api", "API", order=40)
OK = 200
SLOW_S, NEARLY_SLOW_S = 1.0, 0.7
FAILING, SOME_FAIL = 0.05, 0.01


@look(asks=(api.pings,))
def answers(pings: tuple[Answer, ...]) -> View:
    bad = [ping for ping in pings if ping.status != OK]
    slowest = max(ping.seconds for ping in pings)
    problems = []
    if bad:
        message = f"{len(bad)} of {len(pings)} questions to /health ended with status {bad[0].status}."
        problems.append(wrong(message, "tradebot logs api --tail 50"))
    return View((("GET /health", f"{quantity(slowest, 's')} at most"),), problems=tuple(problems))


@look(asks=(requests.lately,))
def served(found: requests.Served) -> View:
    problems = []
    if found.p95 > NEARLY_SLOW_S:
        say = wrong if found.p95 > SLOW_S else doubtful
        problems.append(
            say(f"5 of 100 requests take longer than {quantity(found.p95, 's')}.", "tradebot diag performance")
        )
    if found.errors > SOME_FAIL:
        say = wrong if found.errors > FAILING else doubtful
        problems.append(say(f"{found.errors:.1%} of the requests fail.", "tradebot logs api --level error --tail 50"))
    values = (("p95", quantity(found.p95, "s")), ("failed", f"{found.errors:.2%} of {found.requests:.0f}"),
              ("measured by", found.source))  # fmt: skip
    return View(values, problems=tuple(problems))


@look(asks=(api.health,))
def dependencies(health: api.Health) -> View:
    """Answers of the stores to our own questions, from here."""
    problems = tuple(
        wrong(f"{name} does not answer: {why.rstrip('.')}.", f"tradebot logs {name} --tail 50")
        for name, why in health.ours.items()
        if why
    )
    return View((("status", str(health.document.get("status", "not reported"))),), problems=problems)
