"""Ask Prometheus anything: a table, a line of blocks per series, or a chart."""

import math
from collections.abc import Sequence
from datetime import timedelta

from tradebot_ops import units
from tradebot_ops.clients.prometheus import Series
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.chart import chart
from tradebot_ops.text.labels import pairs
from tradebot_ops.text.quantities import sparkline
from tradebot_ops.text.sentences import agreed

WIDTH = 60
MOST_SERIES = 50
MOST_CHARTS = 8
LONGEST = 10 * 365 * 86400


def seconds(text: str) -> float:
    """``90s``, ``15m``, ``1h30m``, ``1d``; at most ten years. Raises ``OpsError`` TB-0219."""
    try:
        found = units.seconds(text.strip(), units.TYPED)
    except ValueError:
        found = 0.0
    if found <= 0:
        hint = "Write numbers with y, w, d, h, m or s: 15m"
        raise OpsError(f"'{text}' is not a duration.", code="TB-0219", hint=hint)
    if found > LONGEST:
        raise OpsError(f"'{text}' is longer than ten years.", code="TB-0219", hint="Write less: 15m, 2h, 7d")
    return found


def query(ops: Ops, expression: str, range_: str | None, step: str | None, *, drawn: bool) -> Report:
    """The answer of Prometheus. Raises ``OpsError`` TB-0103 with its own words for what is no PromQL."""
    if range_ is None and not drawn:
        return _instant(expression, ops.prometheus.query(expression))
    window = seconds(range_ or "1h")
    end = ops.clock()
    every = seconds(step) if step else max(window / WIDTH, 1.0)
    if window / every > 11000:
        raise OpsError(
            agreed(f"{window / every:.0f} points a series are more than Prometheus gives."),
            code="TB-0220",
            hint=f"Ask for fewer: --step {math.ceil(window / 1000)}s",
        )
    found = ops.prometheus.query_range(expression, end - timedelta(seconds=window), end, every)
    return _range(expression, found, every, drawn=drawn)


def labels(series: Series) -> str:
    """``name{label="value"}`` as Prometheus writes it."""
    others = pairs({name: value for name, value in series.labels.items() if name != "__name__"})
    return series.labels.get("__name__", "") + (f"{{{others}}}" if others else "")


def number(value: float) -> str:
    return f"{value:.6g}"


def _instant(expression: str, found: Sequence[Series]) -> Report:
    rows = tuple((labels(series) or "(no labels)", number(series.value)) for series in found[:MOST_SERIES])
    return _report(expression, found, (Table(("series", "value"), rows),) if rows else ())


def _range(expression: str, found: Sequence[Series], step: float, *, drawn: bool) -> Report:
    if drawn:
        charts = ((labels(series) or expression, *chart(series.points), "") for series in found[:MOST_CHARTS])
        lines = tuple(line for each in charts for line in each)
        return _report(expression, found, (), lines)
    rows = []
    for series in found[:MOST_SERIES]:
        values = [value for _, value in series.points if not math.isnan(value)] or [math.nan]
        shown = (labels(series) or "(no labels)", _course(series))
        rows.append((*shown, number(min(values)), number(max(values)), number(values[-1])))
    columns = ("series", f"a point every {step:g} s", "least", "most", "last")
    return _report(expression, found, (Table(columns, tuple(rows)),) if rows else ())


def _report(expression: str, found: Sequence[Series], tables: tuple[Table, ...], lines: tuple[str, ...] = ()) -> Report:
    above = list(lines)
    if not found:
        above.append("No series match. Names of metrics: tradebot metrics list")
    if len(found) > MOST_SERIES:
        above.append(f"{len(found)} series; the first {MOST_SERIES} are shown.")
    data = {
        "query": expression,
        "series": [
            {"labels": dict(series.labels), "points": [[at, _plain(value)] for at, value in series.points]}
            for series in found
        ],
    }
    return Report(data=data, sections=(Section(lines=tuple(above), tables=tables),))


def _plain(value: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def _course(series: Series) -> str:
    values = [_plain(value) for _, value in series.points]
    return sparkline(values, min(WIDTH, len(values)))
