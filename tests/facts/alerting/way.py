"""The way of an alert without programs: an Alertmanager, the store behind it, a Prometheus, and their clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tradebot_ops.clients.alertmanager import Deliveries
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.alerting import alert_delivery
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.operations.alerts import delivery

RECEIVERS = """
receivers:
  - {name: store, webhook_configs: [{url: api}]}
  - {name: critical, slack_configs: [{channel: a}], webhook_configs: [{url: api}, {url: theirs}]}
  - {name: warning, email_configs: [{to: a}]}
  - {name: quiet}
"""


@dataclass
class Way:
    """``broken`` names what does not work: api, discovery, take, store, end, store-end, and kinds of channels:
    each refuses, as ``slow …`` never takes it, as ``late …`` has not begun with one of them. Of a ``torn …`` kind the
    first answer counts requests whose failure it does not count yet.

    ``moments`` counts the seconds that were slept; nobody waits for them.
    """

    broken: set[str] = field(default_factory=set)
    moments: float = 0.0
    #: Every alert posted: its labels, and whether that ended it.
    posted: list[tuple[Mapping[str, str], bool]] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Deliveries] = field(default_factory=dict)
    #: In place of the counts, in one answer.
    torn: dict[str, Deliveries] = field(default_factory=dict)
    receivers: str = RECEIVERS
    #: Alerts that somebody else left in the store.
    others: Iterable[dict[str, Any]] = ()

    # Time

    def monotonic(self) -> float:
        return self.moments

    def sleep(self, seconds: float) -> None:
        self.moments += seconds

    # The API

    def alerts(self, limit: int) -> list[dict[str, Any]]:
        self._refuse("api")
        return [*self.others, *self.stored][:limit]

    # Alertmanager

    def post(self, labels: Mapping[str, str], annotations: Mapping[str, str], ends: datetime) -> None:
        ended = ends <= datetime.now(UTC)
        self._refuse("end" if ended else "take")
        self.posted.append((labels, ended))
        if ("store-end" if ended else "store") not in self.broken:
            self.stored.append({"labels": labels, "status": "resolved" if ended else "firing"})
        if not ended and "receiver" in labels:
            self._notify(labels["receiver"])

    def deliveries(self) -> dict[str, Deliveries]:
        answer, self.torn = self.counts | self.torn, {}
        return answer

    def status(self) -> Any:
        """Of both Alertmanager and Prometheus."""
        known = () if "discovery" in self.broken else ("http://alertmanager:9093",)
        return SimpleNamespace(config=self.receivers, alertmanagers=known)

    def _notify(self, receiver: str) -> None:
        kinds = {"critical": {"slack": 1, "webhook": 2}, "warning": {"email": 1}}[receiver]
        kinds["webhook"] = kinds.get("webhook", 0) + 1  # the store
        for kind, each in kinds.items():
            count = each - (f"late {kind}" in self.broken)
            before = self.counts.get(kind, Deliveries())
            failed, torn = kind in self.broken, f"torn {kind}" in self.broken
            silent = torn or f"slow {kind}" in self.broken
            self.counts[kind] = Deliveries(
                before.started + count,
                before.sent + (0 if failed or silent else count),
                {"clientError": before.failed.get("clientError", 0) + failed},
            )
            if torn:
                now = self.counts[kind]
                self.torn[kind] = replace(now, sent=now.started)

    def _refuse(self, what: str) -> None:
        if what in self.broken:
            raise OpsError(f"{what} refuses.", code="TB-0210", hint=f"mend {what}")


def laid(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Way:
    """A way that everything of ``ops`` takes, on its own clock."""
    way = Way()
    vars(ops).update(api=way, alertmanager=way, prometheus=way)
    for module in (alert_delivery, delivery, prometheus):
        monkeypatch.setattr(module, "time", way)
    return way
