"""A table of numbers as a picture: the higher a value, the darker its field; no colours, for a pipe or a file, too."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Cells = Sequence[Sequence[float | None]]

#: From the lowest to the highest value, in five steps of one size.
SHADES = " ░▒▓█"
NOTHING = "·"
_MOST_ROWS = 20


class Axis(NamedTuple):
    """The name of a parameter, and the values that it takes."""

    name: str
    values: Sequence[object]


def heat_map(rows: Axis, columns: Axis, cells: Cells, width: int = 80) -> list[str]:
    """Lines of at most ``width`` columns. Where there is no room for each value, a field is the mean of neighbours."""
    labels = [str(value) for value in rows.values]
    margin = max(map(len, (*labels, rows.name))) + 2
    room = width - margin
    tall = math.ceil(len(labels) / _MOST_ROWS)
    wide = math.ceil(len(columns.values) / room)
    fields = [
        [
            _mean(row[left : left + wide] for row in cells[top : top + tall])
            for left in range(0, len(columns.values), wide)
        ]
        for top in range(0, len(labels), tall)
    ]
    each = 2 if 2 * len(fields[0]) <= room else 1
    present = [value for row in fields for value in row if value is not None]
    if not present:
        return ["(no values)"]
    low, high = min(present), max(present)
    drawn = ["".join(each * _shade(value, low, high) for value in row) for row in fields]
    ends = f"{columns.values[0]} … {columns.values[-1]}"
    lines = [f"{rows.name:>{margin - 2}}  {columns.name} {ends}"]
    lines += [f"{label:>{margin - 2}}  {row}" for label, row in zip(labels[::tall], drawn, strict=True)]
    step = (high - low) / (len(SHADES) - 1)
    legend = [f"[{shade}] {low + step * place:.4g}" for place, shade in enumerate(SHADES)]
    lines.append("  ".join((" " * (margin - 2), *legend, f"[{NOTHING}] none")))
    if tall * wide > 1:
        lines.append(f"{'':{margin}}A field is the mean of {tall} × {wide} runs.")
    return lines


def _mean(block: Iterable[Sequence[float | None]]) -> float | None:
    present = [value for row in block for value in row if value is not None]
    return sum(present) / len(present) if present else None


def _shade(value: float | None, low: float, high: float) -> str:
    if value is None:
        return NOTHING
    place = (value - low) / (high - low) if high > low else 1.0
    return SHADES[round(place * (len(SHADES) - 1))]
