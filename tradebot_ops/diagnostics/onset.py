"""Since when a cause shows: the earliest of its traces that is still there. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.diagnostics.cause import Judged, Values
from tradebot_ops.diagnostics.signs import crashed
from tradebot_ops.engines.base import Event, State
from tradebot_ops.facts import moment
from tradebot_ops.facts.fact import Fact, NotHere, Unknown
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.replicas import services
from tradebot_ops.facts.work import queue

T = TypeVar("T")

ASKS: tuple[Fact[Any], ...] = (services.now, services.events, prometheus.alerts, queue.queue, moment.now)
_ENDS = {"die", "stop", "oom", "kill", "failed"}
#: Alerts name what they are about under one of these labels. Lesser ones look back, to what was before this.
_SUBJECTS, _URGENT = ("outage", "service", "job"), "critical"


def first_sign(found: Judged, values: Values) -> datetime | None:
    """None where no trace of it has a time."""
    words = {symptom.partition(":")[0] for symptom in found.explained}
    return min(
        (*_stops(words, values), *_crashes(words, values), *_alerts(words, values), *_waits(words, values)),
        default=None,
    )


def _stops(words: set[str], values: Values) -> Iterator[datetime]:
    """The end of each replica that does not run."""
    down = {each.replica.label for each in _known(values, services.now, ()) if each.replica.state is not State.RUNNING}
    last: dict[str, Event] = {}
    for event in _known(values, services.events, ()):
        if event.service in words and event.label in down and event.action in _ENDS:
            last[event.label] = event
    return (event.at for event in last.values())


def _crashes(words: set[str], values: Values) -> Iterator[datetime]:
    """The first of those that make a loop."""
    now = _known(values, moment.now, None)
    if "crashes" not in words or now is None:
        return
    for event in _known(values, services.events, ()):
        if event.service in words and crashed(event, now):
            yield event.at


def _alerts(words: set[str], values: Values) -> Iterator[datetime]:
    """Since when the condition of an alert about it holds, whether it fires already or not."""
    nothing: tuple[PendingOrFiring, ...] = ()
    for alert in _known(values, prometheus.alerts, nothing):
        subjects = {alert.labels.get(name) for name in _SUBJECTS}
        if subjects & words and alert.labels.get("severity") == _URGENT:
            yield alert.active_since


def _waits(words: set[str], values: Values) -> Iterator[datetime]:
    """The oldest job that should run and does not."""
    now, jobs = _known(values, moment.now, None), _known(values, queue.queue, None)
    if "queue" in words and now is not None and jobs is not None and jobs.oldest_s is not None:
        yield now - timedelta(seconds=jobs.oldest_s)


def _known(values: Values, fact: Fact[Any], otherwise: T) -> Any | T:
    value = values.get(fact)
    return otherwise if value is None or isinstance(value, Unknown | NotHere) else value
