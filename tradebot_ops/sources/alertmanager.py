"""What Alertmanager knows and does: alerts with their silences and inhibition, silences, its own state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.sources.rest import Codes, Login, Query, Rest, moment

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
    version: str
    started: datetime
    config: str


class Alertmanager:
    """A client for one Alertmanager.

    Every method raises ``OpsError``: TB-0520 unreachable or no answer within ``timeout`` seconds, TB-0521 password
    refused, TB-0522 failed.
    """

    def __init__(self, base_url: str, login: Login | None = None, timeout: float = 5.0) -> None:
        self._rest = Rest("Alertmanager", "alertmanager", base_url, login, timeout, _CODES)

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
        return Status(raw["versionInfo"]["version"], moment(raw["uptime"]), raw["config"]["original"])

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
            raise OpsError(f"there is no silence {silence_id}", code="TB-0121", hint="tradebot alerts list")
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

    def _call(self, method: str, path: str, *, params: Query | None = None, json: Any = None) -> Any:
        response = self._rest.request(method, path, params=params, json=json)
        if not response.is_success:
            raise self._rest.failure(response.text.strip() or f"HTTP {response.status_code}")
        return self._rest.document(response) if response.content else None


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
