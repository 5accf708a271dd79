"""Prices of one's own, through the API: files uploaded and loaded by a job, series listed, exported and removed."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.jobs import until_ended
from tradebot_ops.private_folder import write_lines
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.text.quantities import human_bytes
from tradebot_ops.text.sentences import agreed, ended

#: What the name of an uploaded file may not have.
_ODD = re.compile(r"[^\w. -]|^[^\w]")
COLUMNS = ("file", "interval", "read", "new", "changed", "as before", "rejected", "flagged")
#: So many examples of rejected rows are shown, over all files; a job's result has more.
EXAMPLES = 5


@dataclass(frozen=True)
class Asked:
    """Answers to questions that a file may leave open; None where it does not."""

    symbol: str | None = None
    interval: str | None = None
    columns: str | None = None
    dates: str | None = None
    decimal: str | None = None


def load(ops: Ops, files: Sequence[Path], asked: Asked, on_progress: OnProgress, *, dry_run: bool) -> Report:
    """Upload each file and have it loaded, or with ``dry_run`` only checked; one that fails does not stop the others.

    Raises ``OpsError`` TB-0273 for a file that cannot be read, before anything is uploaded, and TB-0602 for a job that
    takes longer than the timeout: it runs on.
    """
    for file in files:
        _check_readable(file)
    payload = {name: value for name, value in asdict(asked).items() if value is not None}
    payload |= {"dry_run": True} if dry_run else {}
    verb = "check" if dry_run else "import"
    with change(ops, f"data {verb}", *(file.name for file in files), on_progress=on_progress, lease=False):
        jobs = [_loaded(ops, file, payload, on_progress) for file in files]
    return _report(files, jobs, dry_run=dry_run)


def _check_readable(file: Path) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        raise OpsError(
            f"{file} cannot be read: {error.strerror}.", code="TB-0273", hint="Name a CSV file, plain, .gz or .zip."
        ) from None


def _loaded(ops: Ops, file: Path, payload: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    """The job that loaded it, as it ended. What a failed one left behind is removed: the file is here."""
    name = _ODD.sub("_", file.name)

    def watch(job: dict[str, Any]) -> None:
        if job.get("note"):
            on_progress(ProgressEvent(file.name, Phase.STARTING, job["note"]))

    on_progress(ProgressEvent(file.name, Phase.PREPARING, f"uploading {human_bytes(file.stat().st_size)}"))
    ops.api.upload(name, file)
    job = until_ended(ops, ops.api.submit("load_candles", {"file": name, **payload})["id"], watch)
    if job["state"] != "succeeded" or payload.get("dry_run"):
        ops.api.remove_upload(name)
    on_progress(ProgressEvent(file.name, Phase.DONE if job["state"] == "succeeded" else Phase.FAILED))
    return job


def _report(files: Sequence[Path], jobs: Sequence[dict[str, Any]], *, dry_run: bool) -> Report:
    done = [(file, job["result"]) for file, job in zip(files, jobs, strict=True) if job["state"] == "succeeded"]
    findings = tuple(
        Finding(
            Level.FAIL,
            "data.import",
            f"{file.name} was not loaded: {ended(reason_of(job))}",
            hint=f"Answer it by an option, such as --dates dmy, or look further: tradebot jobs show {job['id']}",
        )
        for file, job in zip(files, jobs, strict=True)
        if job["state"] != "succeeded"
    )
    sections = []
    if done:
        sections.append(Section(tables=(Table(COLUMNS, tuple(row_of(file.name, result) for file, result in done)),)))
    if examples := [each for _, result in done for each in result["rejected_examples"]][:EXAMPLES]:
        rows = tuple((str(each["line"]), each["symbol"], each["reason"]) for each in examples)
        sections.append(Section(tables=(Table(("line", "symbol", "rejected because"), rows),)))
    if lines := _next(done, dry_run=dry_run):
        sections.append(Section(lines=lines))
    data = [{"file": str(file), "job": job["id"], "state": job["state"], "result": job["result"]}
            for file, job in zip(files, jobs, strict=True)]  # fmt: skip
    return Report(data=data, sections=tuple(sections), findings=findings)


def reason_of(job: dict[str, Any]) -> str:
    """Why a job has not succeeded."""
    return str(job["error"]["message"]) if job.get("error") else f"the job is {job['state']}"


def row_of(name: str, result: dict[str, Any]) -> tuple[str, ...]:
    """Counts of a load, in the order of ``COLUMNS``."""
    counts = (result[name] for name in ("read", "inserted", "updated", "unchanged", "rejected"))
    return (name, str(result["interval"]), *map(str, counts), str(sum(result["flagged"].values())))


def _next(done: Sequence[tuple[Path, dict[str, Any]]], *, dry_run: bool) -> tuple[str, ...]:
    if dry_run:
        return ("Nothing was stored; `tradebot data import` with the same words stores it.",) if done else ()
    found = next(((each["symbol"], result["interval"]) for _, result in done for each in result["symbols"]), None)
    if found is None:
        return ()
    symbol, interval = found
    also = "" if interval == "1d" else f" interval={interval}"
    return (f"Next: tradebot jobs submit backtest symbol={symbol}{also} strategy=sma_cross fast=10 slow=30 --wait",)


def listed(ops: Ops) -> Report:
    """Every series with its first and last bar."""
    found = ops.api.series()
    rows = tuple((each["symbol"], each["interval"], *_span(each), str(each["rejected"] or "")) for each in found)
    table = Table(("symbol", "interval", "first", "last", "rejected"), rows)
    nothing = Section(lines=("No prices yet. Import some: tradebot data import AAPL.csv --symbol AAPL",))
    return Report(data=found, sections=(Section(tables=(table,)) if rows else nothing,))


def _span(series: dict[str, Any]) -> tuple[str, str]:
    """Days, or times of bars within the day."""
    length = 10 if series["interval"] == "1d" else 16
    first, last = ((series[end] or "")[:length].replace("T", " ") for end in ("first", "last"))
    return first, last


def remove(
    ops: Ops, symbol: str, interval: str, confirm: Callable[[str], None], on_progress: OnProgress = ignore_progress
) -> Report:
    """Remove a series. Raises ``OpsError`` TB-0138 where there is none, TB-0104 while a job loads it."""
    named = f"the prices of {symbol} at {interval}"
    confirm(f"This removes {named}.")
    with change(ops, "data rm", symbol, interval, on_progress=on_progress, lease=False):
        removed = ops.api.remove_series(symbol, interval)
    if removed is None:
        raise _none(symbol, interval)
    line = agreed(f"Removed {named}: {removed} bars.")
    return Report(data={"symbol": symbol, "interval": interval, "candles": removed}, sections=(Section(lines=(line,)),))


def lines(ops: Ops, symbol: str, interval: str) -> Iterator[str]:
    """The stored bars of a series as lines of CSV, as they come. Raises ``OpsError`` TB-0138 where there is none."""
    found = ops.api.series_lines(symbol, interval)
    if found is None:
        raise _none(symbol, interval)
    return found


def export(ops: Ops, symbol: str, interval: str, file: Path | None, *, force: bool) -> Report:
    """Write the stored bars of a series to a CSV file, all of them or nothing; without one the report has them.

    Raises ``OpsError`` TB-0930 where the file is there and not to be replaced (``force``).
    """
    data: dict[str, Any] = {"symbol": symbol, "interval": interval}
    if file is None:
        return Report(data=data | {"csv": [*lines(ops, symbol, interval)]})
    if file.exists() and not force:
        raise OpsError(
            f"{file} is there already, and may be what was imported.",
            code="TB-0930",
            hint="Name another file, or add: --force",
        )
    bars = write_lines(file, lines(ops, symbol, interval)) - 1
    again = f"tradebot data import {shlex.quote(str(file))}" + ("" if interval == "1d" else f" --interval {interval}")
    written = (agreed(f"Wrote {bars} bars of {symbol} at {interval} to {file}."), f"To read them again: {again}")
    return Report(data=data | {"file": str(file), "bars": bars}, sections=(Section(lines=written),))


def _none(symbol: str, interval: str) -> OpsError:
    return OpsError(f"There are no prices of {symbol} at {interval}.", code="TB-0138", hint="tradebot data list")
