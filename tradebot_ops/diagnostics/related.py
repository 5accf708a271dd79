"""The alert that a fault belongs to: about the same service, at the same time. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.clients.prometheus import PendingOrFiring
from tradebot_ops.facts.alerting.alert_store import BY_DESIGN
from tradebot_ops.text.quantities import age

#: The services that alerts of a category are about, where their other labels name none.
ABOUT: Mapping[str, tuple[str, ...]] = {
    "api": ("api",),
    "slo": ("api",),
    "jobs": ("worker",),
    "workers": ("worker",),
    "redis": ("redis", "redis-exporter"),
    "postgres": ("postgres", "postgres-exporter"),
    "backups": ("postgres",),
    "candles": ("worker",),
    "bots": ("api",),
    "monitoring": ("prometheus", "alertmanager", "grafana", "node-exporter", "redis-exporter", "postgres-exporter"),
}
#: These labels name a service themselves.
_NAMES = ("outage", "service", "job")
#: An alert looks back over some minutes before it fires, and its cause may be logged until a while after.
AROUND = timedelta(minutes=10)


@dataclass(frozen=True)
class Alarm:
    """``ended`` is None while it fires."""

    name: str
    services: frozenset[str]
    started: datetime
    ended: datetime | None = None

    def shown(self, now: datetime) -> str:
        return f"{self.name}, firing" if self.ended is None else f"{self.name}, over for {age(now - self.ended)}"


def alarms(firing: Sequence[PendingOrFiring], history: Sequence[Mapping[str, Any]]) -> tuple[Alarm, ...]:
    """Those that fire now by Prometheus, and those of the API's store that are over."""
    now = (
        Alarm(alert.name, _services(alert.labels), alert.active_since)
        for alert in firing
        if alert.state == "firing" and alert.name not in BY_DESIGN
    )
    return (*now, *_over(history))


def _over(history: Sequence[Mapping[str, Any]]) -> Iterator[Alarm]:
    for stored in history:
        if stored["status"] == "resolved" and stored["ends_at"] and stored["name"] not in BY_DESIGN:
            started, ended = (datetime.fromisoformat(stored[name]) for name in ("starts_at", "ends_at"))
            yield Alarm(stored["name"], _services(stored["labels"]), started, ended)


def _services(labels: Mapping[str, str]) -> frozenset[str]:
    named = {labels[name] for name in _NAMES if labels.get(name)}
    return frozenset(named | set(ABOUT.get(labels.get("category", ""), ())))


def alarm_of(
    service: str, first: datetime | None, last: datetime | None, known: Sequence[Alarm], now: datetime
) -> Alarm | None:
    """The one that fires, else the last that is over; None where none is about this service at that time."""
    if first is None or last is None:
        return None
    found = [
        alarm
        for alarm in known
        if service in alarm.services and alarm.started - AROUND <= last and first <= (alarm.ended or now) + AROUND
    ]
    return max(found, key=lambda alarm: (alarm.ended is None, alarm.ended or alarm.started), default=None)
