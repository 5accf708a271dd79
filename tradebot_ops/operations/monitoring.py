"""The monitoring services as one thing: set up, start, stop, restart, look at, reload."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Instance, State
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations import channels, converge, power, promtool
from tradebot_ops.operations.progress import Listener, Phase, Told
from tradebot_ops.operations.status import status as services_status
from tradebot_ops.operations.up import up
from tradebot_ops.sources.prometheus import Rule, Target

PROFILE = "monitoring"
RELOAD_SECONDS = 20.0
T = TypeVar("T")


def with_monitoring(ops: Ops) -> Ops:
    """The same world with the monitoring in it, even where the core alone was chosen."""
    if PROFILE in ops.profiles or "*" in ops.profiles:
        return ops
    return ops.with_settings(replace(ops.settings, profiles=(*ops.profiles, PROFILE)))


def names(ops: Ops) -> list[str]:
    """The services of the monitoring, in the stack's order."""
    return [service.name for service in ops.stack.services.values() if PROFILE in service.profiles]


def start(ops: Ops, listen: Listener, command: str) -> Report:
    """Make the monitoring run, the core being as it is; what cannot run here is named."""
    done = up(ops, names(ops), listen, prove=False, dependencies=False)
    return replace(done, command=command)


def stop(ops: Ops, listen: Listener) -> Report:
    return replace(power.stop(ops, _made(ops), listen), command="monitoring.stop")


def restart(ops: Ops, listen: Listener) -> Report:
    return replace(power.restart(ops, _made(ops), listen), command="monitoring.restart")


def _made(ops: Ops) -> list[str]:
    """Those that exist; without any, all of them, so that nothing else is meant."""
    found = {instance.service for instance in ops.engine.list()}
    return [name for name in names(ops) if name in found] or names(ops)


# Looking


def status(ops: Ops) -> Report:
    """The services, and what Prometheus and Alertmanager say of themselves; a silent one is named."""
    looked = services_status(ops, names(ops), command="monitoring.status")
    shown = _only(looked, set(names(ops)))
    facts: list[tuple[str, str]] = []
    findings = list(shown.findings)
    data = dict(shown.data if isinstance(shown.data, dict) else {})
    for about, ask in (("prometheus", _prometheus_facts), ("alertmanager", _alertmanager_facts)):
        try:
            said = ask(ops)
            facts += said.items()
            data[about] = said
        except OpsError as error:
            facts.append((about, error.message))
            data[about] = {"error": error.message}
            findings.append(Finding(Level.FAIL, error.code, error.message, hint=error.hint))
    return replace(
        shown,
        data=data,
        findings=tuple(findings),
        sections=(*shown.sections, Section(tables=(Table(("", ""), tuple(facts)),))),
        failure=ExitCode.DEPENDENCY_UNREACHABLE if len(findings) > len(shown.findings) else shown.failure,
    )


def _only(report: Report, wanted: set[str]) -> Report:
    """The rows and findings that concern some services."""
    data = dict(report.data if isinstance(report.data, dict) else {})
    data["services"] = [row for row in data.get("services", ()) if row["service"] in wanted]
    sections = tuple(
        replace(section, tables=tuple(_rows_of(table, wanted) for table in section.tables))
        for section in report.sections
    )
    findings = tuple(
        found for found in report.findings if found.id == "status.down" or found.message.split()[0] in wanted
    )
    return replace(report, data=data, sections=sections, findings=findings)


def _rows_of(table: Table, wanted: set[str]) -> Table:
    return replace(table, rows=tuple(row for row in table.rows if row[0].rpartition("-")[0] in wanted))


def _prometheus_facts(ops: Ops) -> dict[str, str]:
    found = ops.prometheus.status()
    targets = ops.prometheus.targets()
    rules = ops.prometheus.rules()
    firing = sorted({rule.name for rule in rules if rule.state == "firing"} - {"Watchdog"})
    return {
        "prometheus": found.version,
        "targets": f"{sum(target.health == 'up' for target in targets)} of {len(targets)} up",
        "rules": f"{len(rules)}, {sum(rule.health == 'err' for rule in rules)} with errors",
        "firing": ", ".join(firing) or "nothing",
        "series": str(found.series),
        "retention": found.retention,
        "configuration": "loaded" if found.config_loaded else "the last reload failed",
        "sends alerts to": ", ".join(found.alertmanagers) or "nobody",
    }


def _alertmanager_facts(ops: Ops) -> dict[str, str]:
    found = ops.alertmanager.status()
    active = [silence for silence in ops.alertmanager.silences() if silence.state == "active"]
    return {
        "alertmanager": found.version,
        "receivers": ", ".join(ops.alertmanager.receivers()),
        "silences": str(len(active)),
    }


def targets(ops: Ops) -> Report:
    """What Prometheus scrapes, and how that goes."""
    found = ops.prometheus.targets()
    rows = tuple(
        (target.job, target.instance, target.health, _ago(target), f"{1000 * target.scrape_seconds:.0f} ms", target.url)
        for target in found
    )
    findings = tuple(
        Finding(
            Level.FAIL,
            "target.down",
            f"{target.job} {target.instance} is down: {target.last_error}.",
            hint=f"tradebot logs {_service_of(target)} --tail 50",
        )
        for target in found
        if target.health == "down"
    )
    data = [
        {
            "job": target.job,
            "instance": target.instance,
            "health": target.health,
            "error": target.last_error,
            "url": target.url,
            "scrape_seconds": target.scrape_seconds,
            "last_scrape": target.last_scrape.isoformat() if target.last_scrape else None,
        }
        for target in found
    ]
    table = Table(("job", "instance", "health", "scraped", "took", "address"), rows)
    return Report("monitoring.targets", data=data, findings=findings, sections=(Section(tables=(table,)),))


def _service_of(target: Target) -> str:
    return target.job if ":" not in target.instance else target.instance.partition(":")[0]


def _ago(target: Target) -> str:
    if target.last_scrape is None:
        return "never"
    return f"{(datetime.now(UTC) - target.last_scrape).total_seconds():.0f} s ago"


def rules(ops: Ops) -> Report:
    """Every rule, and whether it evaluates."""
    found = ops.prometheus.rules()
    rows = tuple(
        (rule.name, rule.kind, rule.labels.get("severity", ""), _for(rule), rule.state, rule.health, rule.group)
        for rule in found
    )
    findings = tuple(
        Finding(Level.FAIL, "rule.error", f"{rule.name} cannot be evaluated: {rule.last_error}.", hint=rule.file)
        for rule in found
        if rule.health == "err"
    )
    data = [
        {
            "name": rule.name,
            "kind": rule.kind,
            "group": rule.group,
            "labels": dict(rule.labels),
            "for_seconds": rule.for_seconds,
            "state": rule.state,
            "health": rule.health,
            "error": rule.last_error,
            "query": rule.query,
        }
        for rule in found
    ]
    table = Table(("rule", "kind", "severity", "for", "state", "health", "group"), rows)
    return Report("monitoring.rules", data=data, findings=findings, sections=(Section(tables=(table,)),))


def _for(rule: Rule) -> str:
    return f"{rule.for_seconds:.0f} s" if rule.kind == "alerting" else ""


# Reloading


def reload(ops: Ops, listen: Listener) -> Report:
    """Check the configuration, then have it read. Raises ``OpsError`` TB-0860, and then reloads nothing."""
    channels.ensure(ops)
    promtool.check(ops)
    with ops.state.lock("monitoring reload"):
        running = [found for found in ops.engine.list() if found.service in {"prometheus", "alertmanager"}]
        running = [found for found in running if found.state is State.RUNNING]
        if not running:
            raise OpsError(
                "Neither Prometheus nor Alertmanager runs.", code="TB-0113", hint="tradebot monitoring start"
            )
        for found in running:
            _reload(ops, found, listen)
    line = f"Checked and reloaded: {', '.join(found.service for found in running)}."
    return Report(
        "monitoring.reload",
        data={"reloaded": [found.service for found in running]},
        sections=(Section(lines=(line,)),),
    )


def _reload(ops: Ops, found: Instance, listen: Listener) -> None:
    service = ops.stack.services[found.service]
    if found.spec_hash != service.spec_hash:
        raise OpsError(
            f"{found.service} itself is described differently by now, and must be started anew.",
            code="TB-0907",
            hint="tradebot up",
        )
    listen(Told(found.service, Phase.PREPARING, "reads its configuration"))
    before = datetime.now(UTC)
    converge.reload(ops.engine, ops.stack, found)
    if found.service == "prometheus":
        _until(lambda: _loaded(ops, before), "Prometheus did not take over the configuration")
    listen(Told(found.service, Phase.DONE))


def _loaded(ops: Ops, since: datetime) -> bool:
    """Prometheus tells the second, not more."""
    status = ops.prometheus.status()
    return status.config_loaded and status.config_loaded_at >= since.replace(microsecond=0)


def _until(look: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + RELOAD_SECONDS
    while not _holds(look):
        if time.monotonic() > deadline:
            raise OpsError(
                f"{otherwise} within {RELOAD_SECONDS:.0f} s.",
                code="TB-0605",
                hint="tradebot logs prometheus --tail 50",
            )
        time.sleep(0.2)


def _holds(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OpsError:  # it may have been started anew, and not answer yet
        return False
