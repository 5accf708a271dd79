"""Parameters and figures of many runs as narrow cells of a table."""

from collections.abc import Mapping
from typing import Any

#: As columns are headed, where the name of the measure is long for 80 columns.
HEADINGS = {"total_return": "gain", "max_drawdown": "drawdown"}
#: Written as percents.
_FRACTIONS = {"total_return", "cagr", "max_drawdown"}


def measures(rank: str) -> tuple[str, ...]:
    """The figure that runs were ranked by, and one that every run has."""
    return tuple(dict.fromkeys((rank, "sharpe", "total_return")))[:2]


def headings(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """In sample, and out of sample."""
    early = tuple(HEADINGS.get(name, name) for name in names)
    return early, tuple(f"oos {name}" for name in early)


def parameter(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def cells(metrics: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(cell(name, metrics.get(name)) for name in names)


def cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f} %" if name in _FRACTIONS else f"{value:.2f}"
