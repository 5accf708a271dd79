"""The page of a job: one file that loads nothing from anywhere, with its figures, and pictures of what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.trade import sweeps
from tradebot_ops.pages import template
from tradebot_ops.version import version

Job = dict[str, Any]

#: Of a picture, in units of its own: it is as wide as the window.
WIDTH, HEIGHT = 1000, 260


@dataclass(frozen=True)
class Curve:
    """A line over the days: ``points`` as SVG has them, and the values at its top and bottom."""

    title: str
    points: str
    high: float
    low: float
    first: str
    last: str


@dataclass(frozen=True)
class Field:
    """A run of a sweep over two parameters: its place, how strongly it is drawn (0 to 1), words beside the pointer."""

    column: int
    row: int
    shade: float
    words: str


def page(job: Job, report: Report, trades: Table | None) -> str:
    """HTML of ``report``, which is the job in full, with its curves, its heat map and ``trades``. Text is escaped."""
    result = job.get("result") or {}
    heat = result["heat"] if sweeps.is_one(result) else None
    sections = [*report.sections, *([Section("Trades", tables=(trades,))] if trades else [])]
    return template("tradebot_ops.operations.trade", "job.html.j2").render(
        title=" ".join(filter(None, (job["type"], result.get("symbol"), result.get("strategy")))),
        sections=sections,
        curves=curves(result),
        rank=result.get("rank"),
        heat=heat,
        fields=fields(heat),
        ends=(min(_present(heat), default=0), max(_present(heat), default=0)),
        size=(WIDTH, HEIGHT),
        version=version(),
    )


def curves(result: dict[str, Any]) -> list[Curve]:
    """Equity, and how far it is below its highest so far, in percent."""
    curve = result.get("equity_curve") or {}
    days = curve.get("day", ())
    if len(days) < 2:
        return []
    equity = [float(value) for value in curve["equity"]]
    ends = str(days[0]), str(days[-1])
    return [_curve("Equity", equity, ends), _curve("Drawdown in %", below_highest(equity), ends)]


def below_highest(equity: Sequence[float]) -> list[float]:
    """The drawdown in percent: 0 at each new height, else below it."""
    highest = accumulate(equity, max)
    return [100 * (value / high - 1) if high > 0 else 0.0 for value, high in zip(equity, highest, strict=True)]


def _curve(title: str, values: Sequence[float], ends: tuple[str, str]) -> Curve:
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1
    points = (
        f"{WIDTH * at / (len(values) - 1):.1f},{HEIGHT * (high - value) / (high - low):.1f}"
        for at, value in enumerate(values)
    )
    return Curve(title, " ".join(points), high, low, *ends)


def fields(heat: dict[str, Any] | None) -> list[Field]:
    """Each run that has the figure."""
    if not heat or not (present := _present(heat)):
        return []
    rows, columns = heat["rows"], heat["columns"]
    low, span = min(present), (max(present) - min(present)) or 1.0
    return [
        Field(
            across,
            down,
            round(0.08 + 0.92 * (value - low) / span, 2),
            f"{rows['name']} {rows['values'][down]}, {columns['name']} {columns['values'][across]}: {value:g}",
        )
        for down, row in enumerate(heat["cells"])
        for across, value in enumerate(row)
        if value is not None
    ]


def _present(heat: dict[str, Any] | None) -> list[float]:
    return [value for row in heat["cells"] for value in row if value is not None] if heat else []
