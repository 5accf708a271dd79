"""Errors of the last hour, each fault once: logged, counted by the API, and jobs that died."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tradebot_ops.diagnostics.errors import AT_ONCE, Fault, of_api, of_jobs, of_log, of_logs, of_record, unread
from tradebot_ops.diagnostics.fingerprints import Grouped
from tradebot_ops.diagnostics.topic import Problem, Topic, View, doubtful, look
from tradebot_ops.facts import moment
from tradebot_ops.facts.replicas.errors import Recorded
from tradebot_ops.model import Table
from tradebot_ops.text.quantities import age

TOPIC = Topic("errors", "Errors", order=80)
WINDOW_S = 3600.0
SHOWN = 8
#: Characters of what happened: more of it, and a sample, shows `diag errors`.
SHORT = 100
#: Logged so often, and still: a person should look. A service that starts complains a few times, and is right.
MANY, LATELY_S = 20, 300
LOGS, API, JOBS = of_logs(WINDOW_S), of_api(WINDOW_S), of_jobs(WINDOW_S)


@look(asks=(LOGS, moment.now))
def logged(found: Grouped, now: datetime) -> View:
    view = _view([of_log(each, None) for each in found.groups], now)
    cut = unread(found, AT_ONCE)
    return replace(view, values=(("not read", cut),)) if cut else view


@look(asks=(API, JOBS, moment.now))
def recorded(api: Sequence[Recorded], jobs: Sequence[Recorded], now: datetime) -> View:
    return _view([*(of_record("api", each) for each in api), *(of_record("worker", each) for each in jobs)], now)


def _view(found: list[Fault], now: datetime) -> View:
    rows = tuple((each.id, f"{each.count} ×", each.service, _what(each), _age(each, now)) for each in found[:SHOWN])
    table = Table(("fault", "count", "service", "what", "last"), rows) if rows else None
    return View(table=table, problems=tuple(_storm(each, now) for each in found if _is_storm(each, now)))


def _what(each: Fault) -> str:
    text = f"{each.event} {each.exception}".strip()
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _is_storm(each: Fault, now: datetime) -> bool:
    """The API's counts are of all time, and no matter of the last minutes."""
    lately = each.last is not None and (now - each.last).total_seconds() < LATELY_S
    return each.source == "log" and each.count >= MANY and lately


def _storm(each: Fault, now: datetime) -> Problem:
    message = (
        f"{each.service} logged {each.count} times within an hour: {each.event[:120]}, last {_age(each, now)} ago."
    )
    return doubtful(message, "tradebot diag errors")


def _age(each: Fault, now: datetime) -> str:
    return "–" if each.last is None else age(now - each.last)
