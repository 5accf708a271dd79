"""Targets of Prometheus: all of it, lately, and with something behind it."""

from collections import Counter
from datetime import datetime, timedelta

from tradebot_ops.clients.prometheus import Target
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.facts import clock, engine
from tradebot_ops.facts.metrics import config_files, monitoring, prometheus
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Databases
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few

_URL = "GET /api/v1/targets"


@check(
    "MON-02",
    "Every target is scraped",
    asks=(prometheus.targets, prometheus.dropped, clock.now, monitoring.prometheus),
    severity=Severity.CRITICAL,
    source="brief: Prometheus targets are up",
    anchor="config/prometheus/prometheus.yml",
    remedy="tradebot monitoring targets",
)
def scraped(targets: tuple[Target, ...], dropped: dict[str, int], now: datetime, _answers: Answer) -> Verdict:
    """A source that Prometheus does not scrape is on no panel and causes no alert. A target counts when it is up, was
    scraped within two intervals, and was not left out by a rule of its job.
    """
    down = [target for target in targets if target.health != "up"]
    old = [target for target in targets if target not in down and _late(target, now)]
    evidence = "\n".join([_URL, *(f"{t.job} {t.instance}: {t.health} {t.last_error}".rstrip() for t in targets)])
    observed = f"{len(targets) - len(down) - len(old)} of {len(targets)} scraped"
    expected = "all up, scraped within two intervals, none dropped"
    if not targets:
        return failed("Prometheus has no target at all.", observed="0 targets", expected=expected, evidence=evidence)
    if down:
        first = down[0]
        return failed(
            f"Not up: {few(f'{target.job} ({target.instance})' for target in down)}.",
            observed=f"{first.job}: {first.last_error or first.health}",
            expected=expected,
            evidence=evidence,
        )
    if old:
        named = few(f"{target.job} ({target.instance})" for target in old)
        return failed(f"Not scraped of late: {named}.", observed=observed, expected=expected, evidence=evidence)
    if dropped:
        named = few(f"{count} of {job}" for job, count in dropped.items())
        message = f"Found and not scraped: {named}."
        return failed(message, observed=observed, expected=expected, evidence=f"{_URL}?state=dropped: {dropped}")
    return passed(f"All {len(targets)} targets are scraped.", observed=observed, evidence=evidence)


def _late(target: Target, now: datetime) -> bool:
    return target.last_scrape is None or now - target.last_scrape > timedelta(seconds=2 * target.interval_seconds)


@check(
    "MON-03",
    "Everything that measures is scraped",
    asks=(prometheus.targets, engine.replicas, config_files.metrics, monitoring.services, monitoring.prometheus),
    source="brief: 100% observability coverage",
    anchor="config/prometheus/prometheus.yml",
    remedy="tradebot monitoring targets",
)
def complete(
    targets: tuple[Target, ...],
    replicas: tuple[Replica, ...],
    metrics: tuple[Metric, ...],
    answers: tuple[Answer, ...],
    _answers: Answer,
) -> Verdict:
    """Compares what is scraped with what runs: as many workers as there are, and every source of metrics. A worker
    that discovery lost leaves no target behind that could be down.
    """
    running = sum(each.service == "worker" and each.state is State.RUNNING for each in replicas)
    jobs = Counter(target.job for target in targets)
    evidence = f"{_URL}: {dict(sorted(jobs.items()))}; running workers: {running}"
    if jobs["worker"] != running:
        return failed(
            f"{running} workers run and {jobs['worker']} are scraped.",
            observed=f"{jobs['worker']} of {running} workers",
            expected="as many as run",
            evidence=evidence,
            hint="tradebot monitoring targets; tradebot monitoring restart",
        )
    absent = {answer.service for answer in answers if answer.absent}
    sources = {metric.source for metric in metrics} - absent - ({"worker"} if not running else set())
    missing = sorted(sources - jobs.keys())
    observed = f"{100 * (len(sources) - len(missing)) // max(len(sources), 1)} % of {len(sources)} sources"
    if missing:
        message = f"Nothing is scraped of {few(missing)}."
        return warned(message, observed=observed, expected="100 %", evidence=evidence)
    return passed("Everything that measures is scraped.", observed=observed, evidence=evidence)


@check(
    "MON-04",
    "The exporters reach what they measure",
    asks=(prometheus.databases, monitoring.prometheus),
    severity=Severity.CRITICAL,
    source="prometheus-community: an exporter's up is not its database's",
    anchor="compose.yaml#postgres-exporter",
    remedy="tradebot logs redis-exporter postgres-exporter node-exporter --tail 50",
)
def reached(found: Databases, _answers: Answer) -> Verdict:
    """An exporter that is up proves nothing: it says by `redis_up` and `pg_up` whether it gets to its database, and
    the host's exporter is blind without file systems.
    """
    blind = [
        f"{what} is {'missing' if value is None else f'{value:g}'}"
        for what, value in (("redis_up", found.redis_up), ("pg_up", found.pg_up))
        if value != 1
    ]
    if not found.filesystems:
        blind.append("the host has no file systems")
    observed = (
        f"redis_up {_shown(found.redis_up)}, pg_up {_shown(found.pg_up)}, {_shown(found.filesystems)} file systems"
    )
    evidence = "min(redis_up); min(pg_up); count(node_filesystem_size_bytes)"
    if blind:
        message = f"An exporter does not reach what it measures: {', '.join(blind)}."
        return failed(message, observed=observed, expected="1, 1 and at least one", evidence=evidence)
    return passed("The exporters reach what they measure.", observed=observed, evidence=evidence)


def _shown(value: float | None) -> str:
    return "missing" if value is None else f"{value:g}"
