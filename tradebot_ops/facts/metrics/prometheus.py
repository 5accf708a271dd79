"""Prometheus: what it scrapes, evaluates and runs with, and how it fares itself."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tradebot_ops.clients.prometheus import PendingOrFiring, Rule, Status, Target
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.monitoring.loaded import differences, shape, written_rules
from tradebot_ops.stack.model import MountKind
from tradebot_ops.text import yaml_
from tradebot_ops.units import size

#: Each request ends after 5 s; some facts need several.
SECONDS = 15.0
#: After every start and reload Prometheus finds Alertmanager anew, within this long.
DISCOVERED_SECONDS, PAUSE_SECONDS = 10.0, 0.25
_CONFIG, _TSDB = "config.file", "storage.tsdb.path"
_REAL = 'fstype!~"tmpfs|ramfs|overlay|squashfs|fuse.*|nfs.*"'


@fact(seconds=DISCOVERED_SECONDS + SECONDS)
def status(ops: Ops) -> Status:
    return discovered(ops)


def discovered(ops: Ops) -> Status:
    """The status as soon as Prometheus knows an Alertmanager, or after ``DISCOVERED_SECONDS``."""
    deadline = time.monotonic() + DISCOVERED_SECONDS
    while not (found := ops.prometheus.status()).alertmanagers and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    return found


@fact(seconds=SECONDS)
def targets(ops: Ops) -> tuple[Target, ...]:
    """Every target of every job, by job and instance."""
    return tuple(ops.prometheus.targets())


@fact(seconds=SECONDS)
def dropped(ops: Ops) -> dict[str, int]:
    """Targets that were found and are not scraped, by job."""
    return ops.prometheus.dropped()


@fact(seconds=SECONDS)
def rules(ops: Ops) -> tuple[Rule, ...]:
    return tuple(ops.prometheus.rules())


@fact(seconds=SECONDS)
def alerts(ops: Ops) -> tuple[PendingOrFiring, ...]:
    return tuple(ops.prometheus.alerts())


@dataclass(frozen=True)
class Loaded:
    """Whether what is in force is what is written: places of ``file`` that are not, names of rules that are not, and
    whether the mounted files were edited since they were read."""

    file: str
    places: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    edited: bool = False


def edited(ops: Ops, replicas: Sequence[Replica], service: str) -> bool:
    """Whether the service's mounted files are others than those it last read."""
    wanted = ops.stack.services[service].content_hash
    found = [replica for replica in replicas if replica.service == service and replica.content_hash]
    return any(replica.content_hash != wanted for replica in found)


@fact(seconds=SECONDS, of=(rules, engine.replicas))
def loaded(ops: Ops, rules: Sequence[Rule], replicas: Sequence[Replica]) -> Loaded:
    """The running configuration against the files: on an engine that rewrites them, against the copy that it made."""
    file = _on_this_host(ops, ops.prometheus.flags()[_CONFIG])
    written = config_files.mapping(file)
    places = differences(written, yaml_.load(ops.prometheus.config()))
    return Loaded(str(file), tuple(places), _other_rules(ops, rules), edited(ops, replicas, "prometheus"))


def _on_this_host(ops: Ops, path: str) -> Path:
    for mount in ops.stack.services["prometheus"].mounts:
        if path.startswith(f"{mount.target}/") and mount.kind is MountKind.BIND:
            return Path(mount.source) / path.removeprefix(f"{mount.target}/")
    return Path(path)


def _other_rules(ops: Ops, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Names of rules that are written and not in force, or the other way round."""
    written = Counter(written_rules(config_files.rule_documents(ops)))
    loaded = Counter(shape(rule.name, rule.query, rule.for_seconds, rule.labels.get("severity", "")) for rule in rules)
    return tuple(sorted({name for name, *_ in (written - loaded) + (loaded - written)}))


@dataclass(frozen=True)
class Storage:
    """Where the series lie and for how long. Sizes in bytes; ``free`` is of the roomiest file system, if known."""

    path: str
    on_volume: bool
    retention_time: str
    retention_size: int
    used: float | None
    free: float | None


@fact(seconds=SECONDS)
def storage(ops: Ops) -> Storage:
    flags = ops.prometheus.flags()
    option = f"--{_TSDB}="
    service = ops.stack.services["prometheus"]
    declared = next((word.removeprefix(option) for word in service.command if word.startswith(option)), "")
    mounts = [mount for mount in service.mounts if mount.kind is not MountKind.TMPFS]
    limit = flags.get("storage.tsdb.retention.size", "0B")
    return Storage(
        path=flags[_TSDB],
        on_volume=any(declared == mount.target or declared.startswith(f"{mount.target}/") for mount in mounts),
        retention_time=flags.get("storage.tsdb.retention.time", "0s"),
        retention_size=size(limit),
        used=one(ops, "sum(prometheus_tsdb_storage_blocks_bytes + prometheus_tsdb_wal_storage_size_bytes)"),
        free=one(ops, f'max(node_filesystem_avail_bytes{{job="node",{_REAL}}})'),
    )


@dataclass(frozen=True)
class Health:
    """How Prometheus fares, by its own metrics; None where it has none of them. ``failures`` of rules within
    5 minutes and ``corruptions`` of its log since its start are counts, ``dropped`` is the share of notifications
    within 15 minutes that reached no Alertmanager."""

    series: float | None
    samples_per_second: float | None
    failures: float | None
    corruptions: float | None
    queue: float | None
    queue_capacity: float | None
    dropped: float | None


_DROPPED = (
    "sum(increase(prometheus_notifications_dropped_total[15m])) / ("
    "sum(increase(prometheus_notifications_dropped_total[15m])) + "
    "(sum(increase(prometheus_notifications_sent_total[15m])) or vector(0)) > 0)"
)


@fact(seconds=30)
def health(ops: Ops) -> Health:
    return Health(
        series=one(ops, "max(prometheus_tsdb_head_series)"),
        samples_per_second=one(ops, "sum(rate(prometheus_tsdb_head_samples_appended_total[5m]))"),
        failures=one(ops, _grown("prometheus_rule_evaluation_failures_total")),
        corruptions=one(ops, "sum(prometheus_tsdb_wal_corruptions_total)"),
        queue=one(ops, "max(prometheus_notifications_queue_length)"),
        queue_capacity=one(ops, "max(prometheus_notifications_queue_capacity)"),
        dropped=one(ops, _DROPPED),
    )


def _grown(counter: str) -> str:
    """By how much within 5 minutes; 0 for one that was seen only once as yet."""
    return f"sum(increase({counter}[5m])) or sum({counter}) * 0"


def one(ops: Ops, expression: str) -> float | None:
    """The first value of an expression; None for no series."""
    found = ops.prometheus.query(expression)
    return found[0].value if found else None


#: So long may the first scrape of a new Prometheus take, discovery of its targets included.
FIRST_SCRAPE = timedelta(minutes=1)


def unmeasured(ops: Ops, what: str) -> OpsError | NotApplicable:
    """The error for a series that is not there; nothing to judge while Prometheus is too young to have it."""
    if ops.clock() - ops.prometheus.status().started < FIRST_SCRAPE:
        return NotApplicable(Skip.PREREQUISITE, f"Prometheus has only just started and not measured {what} yet.")
    return OpsError(
        f"Prometheus has not measured {what} yet.",
        code="TB-0264",
        hint="See what is scraped: tradebot monitoring targets",
    )


@dataclass(frozen=True)
class Databases:
    """The exporters' own report on what is behind them; None where there is none."""

    redis_up: float | None
    pg_up: float | None
    filesystems: float | None


@fact(seconds=SECONDS)
def databases(ops: Ops) -> Databases:
    return Databases(
        one(ops, "min(redis_up)"), one(ops, "min(pg_up)"), one(ops, 'count(node_filesystem_size_bytes{job="node"})')
    )
