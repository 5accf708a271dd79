"""Client of Prometheus: targets, rules, alerts and the answers to queries. Read-only, each call with a deadline."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tradebot_ops.clients.rest import Codes, Failures, Login, Query, Rest, moment
from tradebot_ops.stack.model import Trust
from tradebot_ops.units import PROMETHEUS, seconds

if TYPE_CHECKING:
    from tradebot_ops.clients.queries import Queries

_CODES = Codes(unreachable="TB-0510", refused="TB-0511", failed="TB-0512")
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Target:
    """``health`` is up, down or unknown (not scraped yet); ``last_error`` says why it is down."""

    job: str
    instance: str
    url: str
    health: str
    last_error: str
    last_scrape: datetime | None
    scrape_seconds: float
    interval_seconds: float = 15.0


@dataclass(frozen=True)
class Rule:
    """``kind`` is alerting or recording; ``health`` is ok, err or unknown; ``state`` is empty for recordings."""

    name: str
    kind: str
    group: str
    file: str
    query: str
    health: str
    last_error: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_seconds: float


@dataclass(frozen=True)
class PendingOrFiring:
    """An alert as Prometheus sees it: silences and inhibition are Alertmanager's business."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    active_since: datetime
    value: float


@dataclass(frozen=True)
class Series:
    """One series of an answer: (Unix time in seconds, value) in order of time; one point for an instant query."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def value(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True)
class Status:
    version: str
    started: datetime
    config_loaded: bool
    config_loaded_at: datetime
    retention: str
    series: int
    alertmanagers: tuple[str, ...]


class Prometheus:
    """A client for one Prometheus.

    Every method raises ``OpsError``: TB-0510 unreachable or no answer within ``timeout`` seconds, TB-0511 password
    refused, TB-0512 failed.
    """

    def __init__(
        self, base_url: str, login: Login | None = None, timeout: float = 5.0, trust: Trust | None = None
    ) -> None:
        self._failures = Failures("Prometheus", "prometheus", base_url, timeout, _CODES, login, trust)

    @cached_property
    def _rest(self) -> Rest:
        return Rest(self._failures)

    @cached_property
    def _queries(self) -> "Queries":
        from tradebot_ops.clients.queries import Queries

        return Queries(self._failures)

    def targets(self) -> list[Target]:
        """Every target of every job, by job and instance."""
        found = [_target(raw) for raw in self._get("/api/v1/targets", {"state": "active"})["activeTargets"]]
        return sorted(found, key=lambda target: (target.job, target.instance))

    def dropped(self) -> dict[str, int]:
        """How many discovered targets each job drops by its own rules."""
        found = self._get("/api/v1/targets", {"state": "dropped"})
        counts = {job: int(count) for job, count in (found.get("droppedTargetCounts") or {}).items() if count}
        for raw in () if counts else found.get("droppedTargets") or ():  # before 2.49 there are no counts
            job = raw["discoveredLabels"].get("job", "")
            counts[job] = counts.get(job, 0) + 1
        return counts

    def config(self) -> str:
        """The configuration in force, as YAML with every default filled in."""
        return str(self._get("/api/v1/status/config")["yaml"])

    def flags(self) -> dict[str, str]:
        """The options it was started with, and the defaults of the others."""
        return dict(self._get("/api/v1/status/flags"))

    def rules(self) -> list[Rule]:
        """Every rule in the order of the files."""
        groups = self._get("/api/v1/rules")["groups"]
        return [_rule(raw, group) for group in groups for raw in group["rules"]]

    def alerts(self) -> list[PendingOrFiring]:
        return [_alert(raw) for raw in self._get("/api/v1/alerts")["alerts"]]

    def query(self, expression: str, at: datetime | None = None) -> list[Series]:
        """The value of a PromQL expression now or ``at``; a scalar is one series without labels.

        Also raises ``OpsError``: TB-0103 for an expression Prometheus cannot read, with its own words and a mark
        under the place, TB-0120 for one that it cannot evaluate.
        """
        return self._queries.instant(expression, at)

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """The values from ``start`` to ``end``, one every ``step`` seconds. Raises as :meth:`query`."""
        return self._queries.over(expression, start, end, step)

    def emitted(self, job: str, names: Collection[str]) -> dict[str, frozenset[str]]:
        """Those of the series ``names`` that targets of ``job`` have now, each with its label names.

        An instant query: what targets emitted yesterday, or before they went away, is not there.
        """
        found: dict[str, frozenset[str]] = {}
        for series in self.query(f'{{job="{job}",__name__=~"{"|".join(sorted(names))}"}}'):
            name = series.labels["__name__"]
            found[name] = found.get(name, frozenset()) | (series.labels.keys() - {"__name__"})
        return found

    def ready(self) -> bool:
        """False while Prometheus replays its log at the start."""
        return self._rest.request("GET", "/-/ready").status_code == 200

    def status(self) -> Status:
        runtime = self._get("/api/v1/status/runtimeinfo")
        found = self._get("/api/v1/alertmanagers")["activeAlertmanagers"]
        return Status(
            version=self._get("/api/v1/status/buildinfo")["version"],
            started=moment(runtime["startTime"]),
            config_loaded=runtime["reloadConfigSuccess"],
            config_loaded_at=moment(runtime["lastConfigTime"]),
            retention=runtime["storageRetention"],
            series=int(self._get("/api/v1/status/tsdb")["headStats"]["numSeries"]),
            alertmanagers=tuple(sorted(item["url"] for item in found)),
        )

    def _get(self, path: str, params: Query | None = None) -> Any:
        response = self._rest.request("GET", path, params=params)
        document = self._rest.document(response)
        if document.get("status") != "success":
            raise self._rest.failure(str(document.get("error", f"HTTP {response.status_code}")))
        return document["data"]


def _target(raw: Mapping[str, Any]) -> Target:
    labels = raw["labels"]
    return Target(
        job=labels["job"],
        instance=labels["instance"],
        url=raw["scrapeUrl"],
        health=raw["health"],
        last_error=raw["lastError"],
        last_scrape=None if raw["lastScrape"] == _NEVER else moment(raw["lastScrape"]),
        scrape_seconds=float(raw.get("lastScrapeDuration", 0.0)),
        interval_seconds=seconds(raw["scrapeInterval"], PROMETHEUS),
    )


def _rule(raw: Mapping[str, Any], group: Mapping[str, Any]) -> Rule:
    return Rule(
        name=raw["name"],
        kind=raw["type"],
        group=group["name"],
        file=group["file"],
        query=raw["query"],
        health=raw["health"],
        last_error=raw.get("lastError", ""),
        state=raw.get("state", ""),
        labels=raw.get("labels") or {},
        annotations=raw.get("annotations") or {},
        for_seconds=float(raw.get("duration", 0.0)),
    )


def _alert(raw: Mapping[str, Any]) -> PendingOrFiring:
    labels = raw["labels"]
    return PendingOrFiring(
        name=labels["alertname"],
        state=raw["state"],
        labels=labels,
        annotations=raw["annotations"],
        active_since=moment(raw["activeAt"]),
        value=float(raw["value"]),
    )
