"""Figures of results as cells of a table."""

import math
from typing import Any


def shown(value: Any) -> str:
    """A value of a result as a cell of a table."""
    if isinstance(value, float):
        return _figure(value)
    if isinstance(value, dict):
        return " ".join(f"{key}={shown(part)}" for key, part in value.items())
    return "" if value is None else str(value)


def _figure(value: float) -> str:
    """Four decimals, and more where fewer than four digits would be left of a small price."""
    if abs(value) >= 1 or value == 0 or not math.isfinite(value):
        return f"{value:.4f}"
    return f"{value:.{3 - math.floor(math.log10(abs(value)))}f}"
