"""Targets that Prometheus scrapes, named as operators know them."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime

from tradebot_ops.clients.prometheus import Target
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.facts import engine
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.quantities import age


def targets(ops: Ops) -> Report:
    """Targets of Prometheus and their health; discovered ones by the name of their replica."""
    facts = Facts(ops)
    facts.start((prometheus.targets, engine.replicas))
    found = facts.required(prometheus.targets)
    present = facts.required(engine.replicas)
    replicas = {target: replica_of(target, present) for target in found}
    rows = tuple(
        (target.job, replicas[target] or target.instance, target.health, _ago(target),
         f"{1000 * target.scrape_seconds:.0f} ms", target.url)
        for target in found
    )  # fmt: skip
    findings = tuple(
        Finding(
            Level.FAIL,
            "target.down",
            f"{target.job} {replicas[target] or target.instance} is down: {target.last_error}.",
            hint=f"tradebot logs {service_of(target, ops.stack.services)} --tail 50",
        )
        for target in found
        if target.health == "down"
    )
    data = [
        {
            "job": target.job,
            "instance": target.instance,
            "replica": replicas[target],
            "health": target.health,
            "error": target.last_error,
            "url": target.url,
            "scrape_seconds": target.scrape_seconds,
            "last_scrape": target.last_scrape.isoformat() if target.last_scrape else None,
        }
        for target in found
    ]
    table = Table(("job", "instance", "health", "scraped", "took", "address"), rows)
    return Report(data=data, findings=findings, sections=(Section(tables=(table,)),))


def replica_of(target: Target, present: Sequence[Replica]) -> str:
    """``worker-3`` for a target that was discovered: under that name, or under the address whose
    owner only the engine knows. Empty for a target that is written down, and for a replica that is gone."""
    host = target.instance.rpartition(":")[0]
    for found in present:
        if target.instance == found.label or (host and host == found.host and found.service == target.job):
            return found.label
    return ""


def service_of(target: Target, services: Container[str]) -> str:
    """The service whose logs show more: the exporter that is asked, or whoever was discovered for the job."""
    written = target.instance.partition(":")[0]
    return written if written in services else target.job


def _ago(target: Target) -> str:
    if target.last_scrape is None:
        return "never"
    return f"{age(datetime.now(UTC) - target.last_scrape)} ago"
