"""Results of backtests for people: the course of equity and drawdown, trades, a file for a spreadsheet, several beside
each other.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.jobs.jobs import whole_id
from tradebot_ops.operations.jobs.report import in_full, scalars
from tradebot_ops.operations.trade import page as html
from tradebot_ops.operations.trade import sweeps, walks
from tradebot_ops.private_folder import write_lines
from tradebot_ops.text.beginnings import short
from tradebot_ops.text.chart import chart
from tradebot_ops.text.figures import shown
from tradebot_ops.text.sentences import agreed

Job = dict[str, Any]

EQUITY_LINES, DRAWDOWN_LINES = 12, 7
#: Of each trade, as a result names it and as a table is headed; backtests that knew no short positions have no side.
TRADE_COLUMNS = {
    "side": "side", "entry_day": "from", "entry_price": "at", "exit_day": "until", "exit_price": "at", "gain": "gain",
}  # fmt: skip


def show(ops: Ops, typed: str, *, trades: bool, file: Path | None, page: Path | None = None) -> Report:
    """One job in full; of a backtest its pictures, and its ``trades`` if they are wanted.

    A CSV ``file`` has its curve, with ``trades`` those, or of a sweep the best runs; ``page`` has all of it as HTML.
    Raises ``OpsError`` TB-0275 where a job without them is asked for them.
    """
    job = ops.api.job(whole_id(ops, typed))
    report = in_full(job)
    sections = [*report.sections, *pictures(job)]
    if trades:
        sections.append(Section("Trades", tables=(_trades(job),)))
    if file is not None:
        rows = _write(file, *(_of_trades(job) if trades else _for_spreadsheet(job)))
        sections.append(Section(lines=(agreed(f"Wrote {rows} rows to {file}."),)))
    if page is not None:
        made = _trades(job) if (job.get("result") or {}).get("trades") else None
        write_lines(page, html.page(job, in_full(job, pictures=False), made).splitlines())
        sections.append(Section(lines=(f"Wrote {page}: open it in a browser.",)))
    return Report(data=report.data, sections=tuple(sections), findings=report.findings)


def pictures(job: Job) -> tuple[Section, ...]:
    """Equity, and how far it is below its highest so far, in percent; nothing for other jobs."""
    curve = (job.get("result") or {}).get("equity_curve")
    if not curve or len(curve.get("day", ())) < 2:
        return ()
    at = [_moment(day) for day in curve["day"]]
    equity = [float(value) for value in curve["equity"]]
    below = html.below_highest(equity)
    return (
        Section("Equity", lines=tuple(chart(list(zip(at, equity, strict=True)), height=EQUITY_LINES))),
        Section("Drawdown in %", lines=tuple(chart(list(zip(at, below, strict=True)), height=DRAWDOWN_LINES))),
    )


def compare(ops: Ops, typed: Sequence[str]) -> Report:
    """The parameters and figures of several jobs side by side. Raises ``OpsError`` TB-0275 for one without a result."""
    jobs = [ops.api.job(whole_id(ops, each)) for each in typed]
    found = [_figures(_result(job, "result")) for job in jobs]
    names = list(dict.fromkeys(name for each in found for name in each))
    ids = short([job["id"] for job in jobs])
    rows = tuple((name, *(shown(each.get(name)) for each in found)) for name in names)
    data = {job["id"]: each for job, each in zip(jobs, found, strict=True)}
    table = Table(("measure", *(ids[job["id"]] for job in jobs)), rows)
    return Report(data=data, sections=(Section(tables=(table,)),))


def _figures(result: dict[str, Any]) -> dict[str, Any]:
    if sweeps.is_one(result):
        return sweeps.figures(result)
    return walks.figures(result) if walks.is_one(result) else dict(scalars(result))


def _result(job: Job, part: str) -> Any:
    result = job.get("result") or {}
    found = result if part == "result" else result.get(part)
    if not found:
        what = f"a {job['type']} that is {job['state']}"
        raise OpsError(
            f"Job {job['id']} has no {part.replace('_', ' ')}: it is {what}.",
            code="TB-0275",
            hint="tradebot jobs list --type backtest --state succeeded",
        )
    return found


def _trades(job: Job) -> Table:
    columns, rows = _of_trades(job)
    headings = tuple(TRADE_COLUMNS[name] for name in columns)
    return Table(headings, tuple(tuple(shown(cell) for cell in row) for row in rows))


def _of_trades(job: Job) -> tuple[Sequence[str], Iterator[tuple[Any, ...]]]:
    made = _result(job, "trades")
    columns = [name for name in TRADE_COLUMNS if name in made]
    return columns, zip(*(made[name] for name in columns), strict=True)


def _curve(job: Job) -> tuple[Sequence[str], Iterator[tuple[Any, ...]]]:
    curve = _result(job, "equity_curve")
    return ("day", "equity"), zip(curve["day"], curve["equity"], strict=True)


def _for_spreadsheet(job: Job) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """The best runs of a sweep, or the curve of a backtest."""
    result = job.get("result") or {}
    return sweeps.rows(result) if sweeps.is_one(result) else _curve(job)


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """How many rows were written below the names of the columns."""
    return write_lines(file, map(_line, chain([columns], rows))) - 1


def _line(cells: Sequence[Any]) -> str:
    """As spreadsheets quote them, without its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _moment(day: str) -> float:
    """A day, or the time of a bar, as UNIX time; days are drawn as they are written, in whatever zone."""
    at = datetime.fromisoformat(day)
    return at.timestamp() if len(day) <= len("2024-01-02") else at.replace(tzinfo=UTC).timestamp()
