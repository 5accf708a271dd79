"""What the services measure: read from them, listed as declared, and checked against all who ask."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.promtool import config
from tradebot_ops.stack.contract import Contract, Metric, Use, check, dashboard_uses, declared_metrics, rule_uses

SECONDS = 5.0
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)")
#: Of a histogram the count and the sum say enough on a screen; of the interpreter's own, nothing.
_UNSHOWN = re.compile(r"_bucket$|_created$|^python_")


def api(ops: Ops, *, raw: bool) -> Report:
    return _shown({"api": ops.api.metrics()}, "metrics.api", raw=raw)


def worker(ops: Ops, number: int | None, *, every: bool, raw: bool) -> Report:
    """Metrics of one worker, the first unless another is named, or of ``every`` one. Raises TB-0218, TB-0509."""
    there = [found.number for found in ops.engine.list() if found.service == "worker"]
    if not there:
        raise OpsError("There is no worker.", code="TB-0114", hint="tradebot up")
    if number is not None and number not in there:
        known = ", ".join(map(str, there))
        raise OpsError(f"There is no worker {number}.", code="TB-0218", hint=f"Workers: {known}.")
    numbers = there if every else [number or there[0]]
    return _shown({f"worker-{each}": _scrape(ops, each) for each in numbers}, "metrics.worker", raw=raw)


def _scrape(ops: Ops, number: int) -> str:
    address = ops.engine.endpoint("worker", 9091, number)
    try:
        response = httpx.get(f"http://{address}/metrics", timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise OpsError(
            f"Worker {number} at {address} does not answer: {error}.",
            code="TB-0509",
            hint="tradebot status; tradebot logs worker --tail 50",
        ) from None
    return response.text


def _shown(texts: Mapping[str, str], command: str, *, raw: bool) -> Report:
    if raw:
        lines = tuple(line for text in texts.values() for line in text.splitlines())
        return Report(command, data=dict(texts), sections=(Section(lines=lines),))
    samples = {source: parse(text) for source, text in texts.items()}
    data = {
        source: [{"metric": name, "labels": labels, "value": value} for name, labels, value in found]
        for source, found in samples.items()
    }
    sections = tuple(
        Section(
            source if len(samples) > 1 else "",
            tables=(Table(("metric", "labels", "value"), tuple(found)),),
        )
        for source, found in samples.items()
    )
    return Report(command, data=data, sections=sections)


def parse(text: str) -> list[tuple[str, str, str]]:
    """(metric, labels as written, value) of every sample worth a line on a screen."""
    matches = (_SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return [(m[1], (m[2] or "").strip("{}"), m[3]) for m in matches if m and not _UNSHOWN.search(m[1])]


# Declared


def declared(ops: Ops) -> list[Metric]:
    """Every metric that the stack says something emits."""
    folder = config(ops, "prometheus")
    files = ("service-metrics.yml", "exporter-metrics.yml")
    return [metric for name in files for metric in declared_metrics(_yaml(folder / name) or {})]


def uses(ops: Ops) -> list[Use]:
    """Every expression of rules and dashboards."""
    rules = sorted((config(ops, "prometheus") / "rules").glob("*.yml"))
    found = [use for file in rules for use in rule_uses(_yaml(file) or {})]
    return found + [use for file in dashboards(ops) for use in dashboard_uses(document(file))]


def dashboards(ops: Ops) -> list[Path]:
    return sorted((ops.stack.folder / "config" / "grafana" / "dashboards").glob("*.json"))


def document(file: Path) -> dict[str, Any]:
    """A dashboard's JSON; raises ``OpsError`` TB-0861 with line and column."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise OpsError(f"{file} is not JSON: {error}.", code="TB-0861", hint="tradebot dashboards lint") from None


def _yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        where = " ".join(str(error).split())
        raise OpsError(f"{file} cannot be read: {where}.", code="TB-0862", hint="tradebot alerts lint") from None


def list_(ops: Ops) -> Report:
    """Declared metrics, with type, labels and who emits each."""
    found = sorted(declared(ops), key=lambda metric: (metric.source, metric.name))
    rows = tuple((metric.name, metric.type, ", ".join(sorted(metric.labels)), metric.source) for metric in found)
    data = [
        {"name": metric.name, "type": metric.type, "labels": sorted(metric.labels), "source": metric.source}
        for metric in found
    ]
    table = Table(("metric", "type", "labels", "emitted by"), rows)
    return Report("metrics.list", data=data, sections=(Section(tables=(table,)),))


def contract(ops: Ops, *, live: bool) -> Report:
    """What is asked for and emitted by nothing; with ``live`` also what is declared and missing in Prometheus."""
    metrics = declared(ops)
    result = check(uses(ops), metrics)
    findings = [
        Finding(Level.FAIL, "contract.broken", f"{broken}.", hint="tradebot metrics list") for broken in result.broken
    ]
    absent = _absent(ops, metrics) if live else []
    findings += [
        Finding(Level.FAIL, "contract.absent", f"{what}.", hint="tradebot monitoring targets") for what in absent
    ]
    exporters = {"redis", "postgres", "node", "prometheus", "alertmanager", "grafana"}
    ours = [metric for metric in result.unused if metric.source not in exporters]
    return _contract_report(result, absent, ours, tuple(findings), live=live)


def _contract_report(
    result: Contract, absent: list[str], unused: list[Metric], findings: tuple[Finding, ...], *, live: bool
) -> Report:
    looked = "rules, dashboards and what Prometheus has" if live else "rules and dashboards"
    verdict = "Everything asked for is emitted." if not findings else f"{len(findings)} do not fit."
    lines = [f"Compared the declared metrics with {looked}. {verdict}"]
    if unused:
        lines.append(f"Nobody looks at: {', '.join(sorted({metric.name for metric in unused}))}.")
    data = {
        "broken": [{"where": b.where, "metric": b.metric, "label": b.label} for b in result.broken],
        "absent": absent,
        "unused": sorted({metric.name for metric in unused}),
    }
    return Report("metrics.contract", data=data, findings=findings, sections=(Section(lines=tuple(lines)),))


def _absent(ops: Ops, metrics: list[Metric]) -> list[str]:
    """Declared metrics and labels that no series in Prometheus has, for jobs with a target that is up."""
    up = {target.job for target in ops.prometheus.targets() if target.health == "up"}
    stored = ops.prometheus.metrics()
    missing = []
    for metric in metrics:
        if metric.source not in up:
            continue
        for name, labels in metric.series().items():
            if name not in stored:
                # A labelled series comes into being with the first event it counts.
                missing += [] if metric.labels else [f"{metric.source} emits no {name}"]
                continue
            lacking = labels - ops.prometheus.labels_of(f'{name}{{job="{metric.source}"}}')
            missing += [f"{name} of {metric.source} has no label {label}" for label in sorted(lacking)]
    return missing
