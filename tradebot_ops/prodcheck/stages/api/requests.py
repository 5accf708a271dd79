"""How the API serves its requests: soon, without failures of its own, and on record."""

from tradebot_ops.facts import requests
from tradebot_ops.facts.requests import LOGGED, Logged, Served
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.quantities import quantity

SLOW_S, TOO_SLOW_S = 0.7, 1.0
SOME_ERRORS, MANY_ERRORS = 0.01, 0.05
#: What a line about a request must say.
SAYS = ("timestamp", "level", "event", "request_id", "method", "status", "duration_ms")


@check(
    "API-06",
    "Hardly a request takes a second",
    asks=(requests.served,),
    source="brief: API response time, p95 below 1 s",
    needs=("API-01",),
    anchor="config/prometheus/rules/api.yml",
    remedy="tradebot logs api --since 15m --grep duration_ms",
)
def soon(served: Served) -> Verdict:
    """The time below which 95 of 100 requests of the last 15 minutes stayed; the mean would hide the slow ones, which
    are those that users remember.
    """
    observed = f"p95 {quantity(served.p95, 's')} of {served.requests:.0f} requests"
    evidence = f"{served.source}\n{requests.P95}"
    if served.p95 >= TOO_SLOW_S:
        message = "One of twenty requests takes a second or longer."
        return failed(message, observed=observed, expected=f"under {TOO_SLOW_S:g} s", evidence=evidence)
    if served.p95 > SLOW_S:
        message = "Requests are close to taking too long."
        return warned(message, observed=observed, expected=f"at most {SLOW_S:g} s", evidence=evidence)
    return passed("Requests are answered soon.", observed=observed, evidence=evidence)


@check(
    "API-07",
    "Few requests fail by the API's own fault",
    asks=(requests.served,),
    severity=Severity.CRITICAL,
    source="brief: error rate",
    needs=("API-01",),
    anchor="config/prometheus/rules/api.yml",
    remedy="tradebot logs api --since 15m --level error",
)
def succeeds(served: Served) -> Verdict:
    """The share of requests of the last 15 minutes that ended with a status of 500 or above: what the caller did
    wrong is not counted.
    """
    observed = f"{100 * served.errors:.2f} % of {served.requests:.0f} requests"
    evidence = f"{served.source}\n{requests.ERRORS}"
    if served.errors >= MANY_ERRORS:
        message = "Many requests fail by the API's own fault."
        return failed(message, observed=observed, expected=f"under {100 * MANY_ERRORS:g} %", evidence=evidence)
    if served.errors >= SOME_ERRORS:
        message = "Some requests fail by the API's own fault."
        return warned(message, observed=observed, expected=f"under {100 * SOME_ERRORS:g} %", evidence=evidence)
    return passed("Hardly a request fails.", observed=observed, evidence=evidence)


@check(
    "API-08",
    "Each request leaves a line that can be found",
    asks=(requests.logged,),
    source="brief: structured logging",
    needs=("API-01",),
    anchor="services/common/logging.py",
    remedy="tradebot logs api --tail 50",
)
def on_record(logged: Logged) -> Verdict:
    """A request with an id of ours is looked for in the log: one line, in JSON, with id, status and time taken.
    Without that nobody finds out what became of the request that a user asks about.
    """
    expected = f"one JSON line with {', '.join(SAYS)}"
    evidence = "\n".join((f"GET {LOGGED} with X-Request-ID: {logged.request_id}", *logged.lines))
    records = [record for record in logged.records if record.get("request_id") == logged.request_id]
    if not logged.lines:
        return failed("A request left no line in the log.", observed="none", expected=expected, evidence=evidence)
    if not records:
        message = "The line about a request is not JSON, or names no request id."
        hint = "Set LOG_FORMAT=json, then: tradebot up"
        return failed(message, observed=logged.lines[0][:100], expected=expected, evidence=evidence, hint=hint)
    lacking = [name for name in SAYS if name not in records[0]]
    if len(records) > 1 or lacking or records[0]["status"] != logged.status:
        wrong = f"it lacks {', '.join(lacking)}" if lacking else f"{len(records)} lines, status {records[0]['status']}"
        message = f"What the log says of a request is wrong: {wrong}."
        return failed(message, observed=wrong, expected=expected, evidence=evidence)
    return passed("Each request leaves a line that can be found.", observed="one line", evidence=evidence)
