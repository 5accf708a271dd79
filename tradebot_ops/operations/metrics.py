"""What the services measure: read from them, listed as declared, and checked against all who ask."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.monitoring.contract import (
    Contract,
    Metric,
    Use,
    check,
    dashboard_uses,
    declared_metrics,
    missing,
    rule_uses,
)
from tradebot_ops.operations.promtool import config

SECONDS = 5.0
AT_ONCE = 16
#: They emit more than we ask for; that is no news.
EXPORTERS = frozenset({"redis", "postgres", "node", "prometheus", "alertmanager", "grafana"})
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)")
#: Of a histogram the count and the sum say enough on a screen; of the interpreter's own, nothing.
_UNSHOWN = re.compile(r"_bucket$|_created$|^python_")


def api(ops: Ops, *, raw: bool) -> Report:
    return _shown({"api": ops.api.metrics()}, "metrics.api", raw=raw)


def worker(ops: Ops, number: int | None, *, every: bool, raw: bool) -> Report:
    """Metrics of one worker, the first unless another is named, or of ``every`` one.

    Of every one: who does not answer is a finding, and the others are shown. Raises TB-0114, TB-0218, TB-0509.
    """
    there = [found.number for found in ops.engine.list() if found.service == "worker"]
    if not there:
        raise OpsError("There is no worker.", code="TB-0114", hint="tradebot up")
    if number is not None and number not in there:
        known = ", ".join(map(str, there))
        raise OpsError(f"There is no worker {number}.", code="TB-0218", hint=f"Workers: {known}.")
    if not every:
        one = number or there[0]
        return _shown({f"worker-{one}": _scrape(ops, one)}, "metrics.worker", raw=raw)
    with ThreadPoolExecutor(max_workers=min(len(there), AT_ONCE)) as pool:
        answers = dict(zip(there, pool.map(lambda each: _answer(ops, each), there), strict=True))
    texts = {f"worker-{each}": text for each, text in answers.items() if isinstance(text, str)}
    findings = tuple(answer for answer in answers.values() if isinstance(answer, Finding))
    shown = _shown(texts, "metrics.worker", raw=raw, titled=len(there) > 1)
    return replace(shown, findings=findings, failure=ExitCode.DEPENDENCY_UNREACHABLE)


def _answer(ops: Ops, number: int) -> str | Finding:
    try:
        return _scrape(ops, number)
    except OpsError as error:
        return Finding(Level.FAIL, error.code, error.message, hint=error.hint)


def _scrape(ops: Ops, number: int) -> str:
    hint = "tradebot status; tradebot logs worker --tail 50"
    try:
        address = ops.engine.endpoint("worker", 9091, number)
    except OpsError as error:
        why = error.message.rstrip(".")
        raise OpsError(f"Worker {number} cannot be asked: {why}.", code="TB-0509", hint=hint) from None
    try:
        response = httpx.get(f"http://{address}/metrics", timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise OpsError(f"Worker {number} at {address} does not answer: {why}.", code="TB-0509", hint=hint) from None
    if response.status_code != httpx.codes.OK:
        said = f"Worker {number} at {address} answers HTTP {response.status_code} instead of metrics."
        raise OpsError(said, code="TB-0509", hint=hint)
    return response.text


def _shown(texts: Mapping[str, str], command: str, *, raw: bool, titled: bool = False) -> Report:
    if raw:
        lines = tuple(line for text in texts.values() for line in text.splitlines())
        return Report(command, data=dict(texts), sections=(Section(lines=lines),))
    samples = {source: parse(text) for source, text in texts.items()}
    data = {
        source: [{"metric": name, "labels": labels, "value": value} for name, labels, value in found]
        for source, found in samples.items()
    }
    sections = tuple(
        Section(source if titled else "", tables=(Table(("metric", "labels", "value"), tuple(found)),))
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
    """What is asked for and emitted by nothing; with ``live`` also what is declared and missing in Prometheus.

    A source that Prometheus does not reach fails too: nothing can be said of what it emits.
    """
    metrics = declared(ops)
    result = check(uses(ops), metrics)
    findings = [
        Finding(Level.FAIL, "contract.broken", f"{broken}.", hint="tradebot metrics list") for broken in result.broken
    ]
    seen = _look(ops, metrics) if live else Seen((), ())
    findings += [
        Finding(
            Level.FAIL,
            "contract.unseen",
            f"Prometheus reaches no target of {source}, so what it emits could not be looked at.",
            hint="tradebot monitoring targets",
        )
        for source in seen.unseen
    ]
    findings += [
        Finding(Level.FAIL, "contract.absent", f"{what}.", hint="tradebot monitoring targets") for what in seen.absent
    ]
    return _contract_report(result, seen, tuple(findings), live=live)


@dataclass(frozen=True)
class Seen:
    """What a running Prometheus lacks: series and labels, and sources without a target that is up."""

    absent: tuple[str, ...]
    unseen: tuple[str, ...]


def _look(ops: Ops, metrics: Sequence[Metric]) -> Seen:
    up = {target.job for target in ops.prometheus.targets() if target.health == "up"}
    sources = dict.fromkeys(metric.source for metric in metrics)
    absent: list[str] = []
    for source in sources:
        if source in up:
            own = [metric for metric in metrics if metric.source == source]
            names = {name for metric in own for name in metric.series()}
            absent += missing(own, ops.prometheus.emitted(source, names))
    return Seen(tuple(absent), tuple(source for source in sources if source not in up))


def _contract_report(result: Contract, seen: Seen, findings: tuple[Finding, ...], *, live: bool) -> Report:
    looked = "rules, dashboards and what Prometheus has now" if live else "rules and dashboards"
    verdict = "Everything asked for is emitted." if not findings else f"{len(findings)} do not fit."
    lines = [f"Compared the declared metrics with {looked}. {verdict}"]
    unused = sorted({metric.name for metric in result.unused if metric.source not in EXPORTERS})
    if unused:
        lines.append(f"Nobody looks at: {', '.join(unused)}.")
    data = {
        "broken": [{"where": b.where, "metric": b.metric, "label": b.label} for b in result.broken],
        "absent": list(seen.absent),
        "unseen": list(seen.unseen),
        "unused": unused,
    }
    return Report("metrics.contract", data=data, findings=findings, sections=(Section(lines=tuple(lines)),))
