"""Alertmanager: what it holds and keeps quiet, whom it notifies, and whether that gets through."""

from collections.abc import Sequence
from dataclasses import dataclass

from tradebot_ops.clients.alertmanager import HeldAlert, Silence, Status
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import config_files, prometheus
from tradebot_ops.facts.metrics.prometheus import Loaded
from tradebot_ops.monitoring.loaded import differences
from tradebot_ops.text import yaml_

#: Each request ends after 5 s; some facts need several.
SECONDS = 15.0


@fact(seconds=SECONDS)
def status(ops: Ops) -> Status:
    return ops.alertmanager.status()


@fact(seconds=SECONDS)
def receivers(ops: Ops) -> tuple[str, ...]:
    return ops.alertmanager.receivers()


@fact(seconds=SECONDS)
def silences(ops: Ops) -> tuple[Silence, ...]:
    """Pending, active and expired ones."""
    return tuple(ops.alertmanager.silences())


@fact(seconds=SECONDS)
def alerts(ops: Ops) -> tuple[HeldAlert, ...]:
    """Every alert it holds, suppressed ones included."""
    return tuple(ops.alertmanager.alerts())


@fact(of=(status, engine.replicas))
def loaded(ops: Ops, status: Status, replicas: Sequence[Replica]) -> Loaded:
    """Its running configuration against its file."""
    file = config_files.folder(ops, "alertmanager") / "alertmanager.yml"
    written = config_files.mapping(file)
    places = differences(written, yaml_.load(status.config))
    return Loaded(str(file), tuple(places), edited=prometheus.edited(ops, replicas, "alertmanager"))


@dataclass(frozen=True)
class Attempts:
    """Notifications through one kind of channel within the last hour, by Alertmanager's own counters."""

    sent: float
    failed: float


@fact(seconds=SECONDS)
def attempts(ops: Ops) -> dict[str, Attempts]:
    """By kind of channel: webhook, slack, email …"""
    sent, failed = (_by_integration(ops, name) for name in ("notifications_total", "notifications_failed_total"))
    return {kind: Attempts(sent[kind], failed.get(kind, 0.0)) for kind in sent}


def _by_integration(ops: Ops, name: str) -> dict[str, float]:
    found = ops.prometheus.query(f"sum by (integration) (increase(alertmanager_{name}[1h]))")
    return {series.labels.get("integration", ""): series.value for series in found}
