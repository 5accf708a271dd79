"""Metrics of the services: read from them, and listed as declared."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.metrics import config_files, samples
from tradebot_ops.facts.work.workers import scrape
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.labels import pairs

AT_ONCE = 16
#: Of a histogram the count and the sum say enough on a screen; of the interpreter's own, nothing.
_UNSHOWN = re.compile(r"_bucket$|_created$|^python_")


@dataclass(frozen=True)
class Scraped:
    """The metrics of one source: its text, and of each sample worth a line the metric, the labels and the value."""

    text: str
    lines: tuple[tuple[str, str, str], ...] = ()


def api(ops: Ops, *, raw: bool) -> Report:
    """Metrics of the API. Raises TB-0509 when it answers with something else."""
    return _shown({"api": _read("The API", ops.api.metrics(), raw=raw)}, raw=raw)


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
        return _shown({f"worker-{one}": _scrape(ops, one, raw=raw)}, raw=raw)
    with ThreadPoolExecutor(max_workers=min(len(there), AT_ONCE)) as pool:
        answers = dict(zip(there, pool.map(lambda each: _answer(ops, each, raw=raw), there), strict=True))
    scraped = {f"worker-{each}": found for each, found in answers.items() if isinstance(found, Scraped)}
    findings = tuple(answer for answer in answers.values() if isinstance(answer, Finding))
    shown = _shown(scraped, raw=raw, titled=len(there) > 1)
    return replace(shown, findings=findings, failure=ExitCode.DEPENDENCY_UNREACHABLE)


def _answer(ops: Ops, number: int, *, raw: bool) -> Scraped | Finding:
    try:
        return _scrape(ops, number, raw=raw)
    except OpsError as error:
        return Finding(Level.FAIL, error.code, error.message, hint=error.hint)


def _scrape(ops: Ops, number: int, *, raw: bool) -> Scraped:
    return _read(f"Worker {number}", scrape(ops, number), raw=raw)


def _read(source: str, text: str, *, raw: bool) -> Scraped:
    """With ``raw`` nothing is parsed, so that an answer that is no metrics can be looked at."""
    if raw:
        return Scraped(text)
    try:
        return Scraped(text, tuple(parse(text)))
    except ValueError as error:
        raise OpsError(
            f"{source} answers with something else than metrics: {error}.",
            code="TB-0509",
            hint="See the answer itself: the same command with --raw",
        ) from None


def _shown(scraped: Mapping[str, Scraped], *, raw: bool, titled: bool = False) -> Report:
    if raw:
        lines = tuple(line for each in scraped.values() for line in each.text.splitlines())
        data = {source: each.text for source, each in scraped.items()}
        return Report(data=data, sections=(Section(lines=lines),))
    columns = ("metric", "labels", "value")
    sections = tuple(
        Section(source if titled else "", tables=(Table(columns, each.lines),)) for source, each in scraped.items()
    )
    rows = {source: [dict(zip(columns, line, strict=True)) for line in each.lines] for source, each in scraped.items()}
    return Report(data=rows, sections=sections)


def parse(text: str) -> list[tuple[str, str, str]]:
    """(metric, labels, value) of samples worth a line on a screen. Raises ``ValueError`` for what is no metrics."""
    from prometheus_client.utils import floatToGoString

    return [
        (name, pairs(dict(labels)), floatToGoString(value))  # type: ignore[no-untyped-call]
        for family in samples.parse(text).values()
        for (name, labels), value in family.values.items()
        if not _UNSHOWN.search(name)
    ]


def list_(ops: Ops) -> Report:
    """Declared metrics, with type, labels and who emits each."""
    found = sorted(config_files.declared(ops), key=lambda metric: (metric.source, metric.name))
    rows = tuple((metric.name, metric.type, ", ".join(sorted(metric.labels)), metric.source) for metric in found)
    data = [
        {"name": metric.name, "type": metric.type, "labels": sorted(metric.labels), "source": metric.source}
        for metric in found
    ]
    table = Table(("metric", "type", "labels", "emitted by"), rows)
    return Report(data=data, sections=(Section(tables=(table,)),))
