"""What the services measure: read from them, and listed as declared."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts import config_files
from tradebot_ops.model import Finding, Level, Report, Section, Table

SECONDS = 5.0
AT_ONCE = 16
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


def list_(ops: Ops) -> Report:
    """Declared metrics, with type, labels and who emits each."""
    found = sorted(config_files.declared(ops), key=lambda metric: (metric.source, metric.name))
    rows = tuple((metric.name, metric.type, ", ".join(sorted(metric.labels)), metric.source) for metric in found)
    data = [
        {"name": metric.name, "type": metric.type, "labels": sorted(metric.labels), "source": metric.source}
        for metric in found
    ]
    table = Table(("metric", "type", "labels", "emitted by"), rows)
    return Report("metrics.list", data=data, sections=(Section(tables=(table,)),))
