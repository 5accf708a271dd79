"""Ask Prometheus anything: a table, a line of blocks per series, or a chart."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta

from tradebot_ops.clients.prometheus import Series
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.quantities import sparkline

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
CHART_HEIGHT = 12
MOST_SERIES = 50
LONGEST = 10 * 365 * 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str) -> float:
    """``90s``, ``15m``, ``2h``, ``1d``; at most ten years. Raises ``OpsError`` TB-0219."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if match is None or float(match[1]) <= 0:
        raise OpsError(f"'{text}' is not a duration.", code="TB-0219", hint="Write a number and s, m, h or d: 15m")
    found = float(match[1]) * _UNITS[match[2]]
    if found > LONGEST:
        raise OpsError(f"'{text}' is longer than ten years.", code="TB-0219", hint="Write less: 15m, 2h, 7d")
    return found


def query(ops: Ops, expression: str, range_: str | None, step: str | None, *, chart: bool) -> Report:
    """The answer of Prometheus. Raises ``OpsError`` TB-0103 with its own words for what is no PromQL."""
    if range_ is None and not chart:
        return _instant(expression, ops.prometheus.query(expression))
    window = seconds(range_ or "1h")
    end = ops.clock()
    every = seconds(step) if step else max(window / WIDTH, 1.0)
    if window / every > 11000:
        raise OpsError(
            f"{window / every:.0f} points a series are more than Prometheus gives.",
            code="TB-0220",
            hint=f"Ask for fewer: --step {math.ceil(window / 1000)}s",
        )
    found = ops.prometheus.query_range(expression, end - timedelta(seconds=window), end, every)
    return _range(expression, found, every, chart=chart)


def labels(series: Series) -> str:
    """``name{label="value"}`` as Prometheus writes it."""
    pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(series.labels.items()) if name != "__name__")
    return series.labels.get("__name__", "") + (f"{{{pairs}}}" if pairs else "")


def number(value: float) -> str:
    return f"{value:.6g}"


def _instant(expression: str, found: Sequence[Series]) -> Report:
    rows = tuple((labels(series) or "(no labels)", number(series.value)) for series in found[:MOST_SERIES])
    return _report(expression, found, (Table(("series", "value"), rows),) if rows else ())


def _range(expression: str, found: Sequence[Series], step: float, *, chart: bool) -> Report:
    if chart:
        lines = tuple(line for series in found[:8] for line in (labels(series) or expression, *plot(series), ""))
        return _report(expression, found, (), lines)
    rows = []
    for series in found[:MOST_SERIES]:
        values = [value for _, value in series.points if not math.isnan(value)] or [math.nan]
        shown = (labels(series) or "(no labels)", _course(series))
        rows.append((*shown, number(min(values)), number(max(values)), number(values[-1])))
    columns = ("series", f"a point every {step:g} s", "least", "most", "last")
    return _report(expression, found, (Table(columns, tuple(rows)),) if rows else ())


def _report(expression: str, found: Sequence[Series], tables: tuple[Table, ...], lines: tuple[str, ...] = ()) -> Report:
    said = list(lines)
    if not found:
        said.append("No series match. Names of metrics: tradebot metrics list")
    if len(found) > MOST_SERIES:
        said.append(f"{len(found)} series; the first {MOST_SERIES} are shown.")
    data = {
        "query": expression,
        "series": [
            {"labels": dict(series.labels), "points": [[at, _plain(value)] for at, value in series.points]}
            for series in found
        ],
    }
    return Report("query", data=data, sections=(Section(lines=tuple(said), tables=tables),))


def _plain(value: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def _course(series: Series) -> str:
    values = [_plain(value) for _, value in series.points]
    return sparkline(values, min(WIDTH, len(values)))


def plot(series: Series, height: int = CHART_HEIGHT, width: int = WIDTH) -> list[str]:
    """Lines of a bar chart with its scale at the left."""
    values = [value for _, value in series.points]
    if len(values) > width:
        values = [values[index * len(values) // width] for index in range(width)]
    real = [value for value in values if math.isfinite(value)]
    if not real:
        return ["(no values)"]
    low, high = min(0.0, *real), max(real)
    span = (high - low) or 1.0
    rows = []
    for row in range(height, 0, -1):
        cells = "".join(_cell((value - low) / span * height - (row - 1)) for value in values)
        scale = number(low + span * row / height) if row in {height, 1} else ""
        rows.append(f"{scale:>10} |{cells}")
    return rows


def _cell(filled: float) -> str:
    if not math.isfinite(filled) or filled <= 0:
        return " "
    return BLOCKS[min(7, int(filled * 8))] if filled < 1 else BLOCKS[7]
