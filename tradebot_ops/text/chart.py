"""A course of values drawn with characters, for a terminal, a pipe or a file; no colours."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

#: Ticks of the axes, both ends included.
_LEVELS, _TIMES = 3, 4
_DAY = 86400


def chart(points: Sequence[tuple[float, float]], width: int = 72, height: int = 14) -> list[str]:
    """Lines of ``width`` columns: (UNIX time, value) as a curve over the local time, from 0 or from what is below it.

    A value that is no number is a gap.
    """
    import plotext

    points = [(at, value if math.isfinite(value) else math.nan) for at, value in points]
    real = [value for _, value in points if not math.isnan(value)]
    if not real:
        return ["(no values)"]
    low, high = min(0.0, *real), max(0.0, *real)
    high = high if high > low else low + 1
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    # Room below: a tick stands in the middle of its row, and a curve along the bottom would run under its tick.
    plotext.ylim(low - (high - low) / (2 * height), high)
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    levels = _spread(low, high, _LEVELS)
    plotext.yticks(levels, [f"{level:.6g}" for level in levels])
    _time_axis(plotext, points[0][0], points[-1][0])
    plotext.plot([at for at, _ in points], [value for _, value in points], marker="braille")
    return [line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines()]


def _time_axis(plotext: Any, start: float, end: float) -> None:
    end = max(end, start + 1)
    plotext.xlim(start, end)
    forms = ((100 * _DAY, "%Y-%m-%d"), (_DAY + 1, "%d. %H:%M"), (600, "%H:%M"), (0, "%H:%M:%S"))
    form = next(form for least, form in forms if end - start >= least)
    times = _spread(start, end, _TIMES)
    plotext.xticks(times, [datetime.fromtimestamp(at).astimezone().strftime(form) for at in times])


def _spread(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * place / (count - 1) for place in range(count)]
