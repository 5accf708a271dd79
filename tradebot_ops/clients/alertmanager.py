"""Client of Alertmanager: alerts with their silences and inhibition, silences, its own state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tradebot_ops.clients.rest import Codes, Failures, Login, Query, Rest, moment
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Trust

_COUNTER = re.compile(r"^(alertmanager_notification\w*_total)\{(.*integration=.*)\} (\S+)$", re.MULTILINE)
_RELOADS = re.compile(r"^alertmanager_config_last_reload_(\w+) (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_CODES = Codes(unreachable="TB-0520", refused="TB-0521", failed="TB-0522")


@dataclass(frozen=True)
class HeldAlert:
    """``state`` is active, suppressed or unprocessed; ``silenced_by`` and ``inhibited_by`` are ids that suppress it."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Matcher:
    """``equal`` False turns it round; ``regex`` makes ``value`` an anchored regular expression."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.regex else "=") if self.equal else ("!~" if self.regex else "!=")
        return f'{self.name}{sign}"{self.value}"'


@dataclass(frozen=True)
class Silence:
    """``state`` is pending, active or expired."""

    id: str
    state: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str


@dataclass(frozen=True)
class Status:
    """``config`` is what it runs with; ``config_loaded`` says whether the last attempt to read another succeeded."""

    version: str
    started: datetime
    config: str
    config_loaded: bool
    config_loaded_at: datetime


@dataclass(frozen=True)
class Deliveries:
    """Outcome of the notifications through one kind of channel since Alertmanager started.

    ``sent`` counts requests that the other side took; ``failed`` notifications given up, by reason where one is given.
    """

    started: int = 0
    sent: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)


class Alertmanager:
    """A client for one Alertmanager.

    Every method raises ``OpsError``: TB-0520 unreachable or no answer within ``timeout`` seconds, TB-0521 password
    refused, TB-0522 failed.
    """

    def __init__(
        self, base_url: str, login: Login | None = None, timeout: float = 5.0, trust: Trust | None = None
    ) -> None:
        self._rest = Rest(Failures("Alertmanager", "alertmanager", base_url, timeout, _CODES, login, trust))

    def alerts(self) -> list[HeldAlert]:
        """Every alert it holds, suppressed ones included."""
        return [_alert(raw) for raw in self._call("GET", "/api/v2/alerts")]

    def silences(self) -> list[Silence]:
        """Pending, active and, for some days, expired ones."""
        return [_silence(raw) for raw in self._call("GET", "/api/v2/silences")]

    def receivers(self) -> tuple[str, ...]:
        return tuple(raw["name"] for raw in self._call("GET", "/api/v2/receivers"))

    def status(self) -> Status:
        raw = self._call("GET", "/api/v2/status")
        reloads = dict(_RELOADS.findall(self._metrics()))
        return Status(
            version=raw["versionInfo"]["version"],
            started=moment(raw["uptime"]),
            config=raw["config"]["original"],
            config_loaded=float(reloads.get("successful", 0)) == 1,
            config_loaded_at=datetime.fromtimestamp(float(reloads.get("success_timestamp_seconds", 0)), UTC),
        )

    def deliveries(self) -> dict[str, Deliveries]:
        """Outcome of notifications, by kind of channel: webhook, slack, email …; of all receivers together."""
        return _deliveries(self._metrics())

    def ready(self) -> bool:
        return self._rest.request("GET", "/-/ready").status_code == 200

    def silence(self, matchers: Sequence[Matcher], ends_at: datetime, author: str, comment: str) -> str:
        """Make a silence from now on and give its id.

        Raises ``OpsError`` TB-0210 without a matcher, a comment or an end that is yet to come: a silence for ever,
        or one that nobody can explain, hides the next outage.
        """
        now = datetime.now(UTC)
        for wrong, why in (
            (not matchers, "a silence needs at least one matcher, such as alertname=HighCPUUsage"),
            (not comment.strip(), "a silence needs a comment that says why"),
            (ends_at <= now, "a silence needs an end that is yet to come"),
        ):
            if wrong:
                raise OpsError(why, code="TB-0210", hint="tradebot alerts silence --help")
        body = {
            "matchers": [
                {"name": item.name, "value": item.value, "isRegex": item.regex, "isEqual": item.equal}
                for item in matchers
            ],
            "startsAt": now.isoformat(),
            "endsAt": ends_at.isoformat(),
            "createdBy": author,
            "comment": comment,
        }
        return str(self._call("POST", "/api/v2/silences", json=body)["silenceID"])

    def unsilence(self, silence_id: str) -> None:
        """End a silence now. Raises ``OpsError`` TB-0121 for an id it does not know."""
        response = self._rest.request("DELETE", f"/api/v2/silence/{silence_id}")
        if response.status_code in {404, 422}:
            raise OpsError(f"There is no silence {silence_id}.", code="TB-0121", hint="tradebot alerts list")
        if not response.is_success:
            raise self._rest.failure(response.text)

    def post(self, labels: Mapping[str, str], annotations: Mapping[str, str], ends_at: datetime) -> None:
        """Raise an alert that ends by itself at ``ends_at``; posted again with an end in the past, it is resolved."""
        now = datetime.now(UTC)
        alert = {
            "labels": dict(labels),
            "annotations": dict(annotations),
            "startsAt": min(now, ends_at).isoformat(),
            "endsAt": ends_at.isoformat(),
        }
        self._call("POST", "/api/v2/alerts", json=[alert])

    def _metrics(self) -> str:
        response = self._rest.request("GET", "/metrics")
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code}")
        return response.text

    def _call(self, method: str, path: str, *, params: Query | None = None, json: Any = None) -> Any:
        response = self._rest.request(method, path, params=params, json=json)
        if not response.is_success:
            raise self._rest.failure(response.text.strip() or f"HTTP {response.status_code}")
        return self._rest.document(response) if response.content else None


def _deliveries(text: str) -> dict[str, Deliveries]:
    """From its own metrics; a request that failed may be tried again within one notification."""
    counts: dict[tuple[str, str], int] = {}
    reasons: dict[str, dict[str, int]] = {}
    for name, labels, value in _COUNTER.findall(text):
        known = dict(_LABEL.findall(labels))
        kind = known["integration"]
        counts[name, kind] = counts.get((name, kind), 0) + int(float(value))
        if name == "alertmanager_notifications_failed_total":
            reasons.setdefault(kind, {})[known.get("reason", "")] = int(float(value))
    return {
        kind: Deliveries(
            started=counts["alertmanager_notifications_total", kind],
            sent=counts.get(("alertmanager_notification_requests_total", kind), 0)
            - counts.get(("alertmanager_notification_requests_failed_total", kind), 0),
            failed=reasons.get(kind, {}),
        )
        for name, kind in counts
        if name == "alertmanager_notifications_total"
    }


def _alert(raw: Mapping[str, Any]) -> HeldAlert:
    status, labels = raw["status"], raw["labels"]
    return HeldAlert(
        name=labels.get("alertname", ""),
        state=status["state"],
        labels=labels,
        annotations=raw["annotations"],
        starts_at=moment(raw["startsAt"]),
        ends_at=moment(raw["endsAt"]),
        receivers=tuple(receiver["name"] for receiver in raw["receivers"]),
        silenced_by=tuple(status["silencedBy"]),
        inhibited_by=tuple(status["inhibitedBy"]),
        fingerprint=raw["fingerprint"],
    )


def _silence(raw: Mapping[str, Any]) -> Silence:
    matchers = tuple(
        Matcher(item["name"], item["value"], item["isRegex"], item.get("isEqual", True)) for item in raw["matchers"]
    )
    return Silence(
        id=raw["id"],
        state=raw["status"]["state"],
        matchers=matchers,
        starts_at=moment(raw["startsAt"]),
        ends_at=moment(raw["endsAt"]),
        author=raw["createdBy"],
        comment=raw["comment"],
    )
