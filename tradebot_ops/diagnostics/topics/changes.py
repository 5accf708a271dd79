"""Changes within the last hour: starts, stops, deaths. The first question at 3 a.m."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tradebot_ops.diagnostics.topic import Topic, View, look
from tradebot_ops.engines.base import Event
from tradebot_ops.facts import moment
from tradebot_ops.facts.replicas import services
from tradebot_ops.model import Table
from tradebot_ops.text.quantities import age

TOPIC = Topic("changes", "Changes within an hour", order=5)
WINDOW = timedelta(hours=1)
MOST = 10
_SHOWN = {"start", "die", "stop", "kill", "oom", "restart"}


@look(asks=(services.events, moment.now))
def events(found: Sequence[Event], now: datetime) -> View:
    """The newest first; health samples are left out."""
    recent = [event for event in found if event.action in _SHOWN and now - event.at < WINDOW]
    recent.sort(key=lambda event: event.at, reverse=True)
    rows = tuple((f"{age(now - event.at)} ago", event.label, event.action, _code(event)) for event in recent[:MOST])
    return View(table=Table(("when", "replica", "what", "exit code"), rows))


def _code(event: Event) -> str:
    return "" if event.exit_code is None else str(event.exit_code)
