"""The stretch of time a dashboard shows, and Grafana's variables that depend on it. Pure."""

import math
import re
from dataclasses import dataclass

RANGES = {"15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800}
"""Seconds of each range on offer: a fixed set, so that what is kept per range is bounded."""

SCRAPE_INTERVAL_S = 15
POINTS = 240
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::\w+)?\}|([A-Za-z_]\w*))")


@dataclass(frozen=True)
class Window:
    """``points`` moments, ``step`` seconds apart, the last one at ``end`` (Unix seconds)."""

    end: int
    step: int
    points: int

    @property
    def start(self) -> int:
        return self.end - (self.points - 1) * self.step

    @property
    def times(self) -> list[int]:
        return [self.start + number * self.step for number in range(self.points)]

    def variables(self) -> dict[str, str]:
        """Grafana's built-in variables; its manual says how ``$__rate_interval`` is computed."""
        length = (self.points - 1) * self.step
        rate = max(self.step + SCRAPE_INTERVAL_S, 4 * SCRAPE_INTERVAL_S)
        return {
            "__interval": f"{self.step}s",
            "__interval_ms": str(self.step * 1000),
            "__rate_interval": f"{rate}s",
            "__rate_interval_ms": str(rate * 1000),
            "__range": f"{length}s",
            "__range_s": str(length),
            "__range_ms": str(length * 1000),
            "__from": str(self.start * 1000),
            "__to": str(self.end * 1000),
        }


def window(range_s: int, now: float) -> Window:
    """The last ``range_s`` seconds in at most ``POINTS`` steps, none shorter than Prometheus scrapes."""
    step = max(SCRAPE_INTERVAL_S, math.ceil(range_s / POINTS))
    return Window(int(now), step, range_s // step + 1)


def substitute(expr: str, shown: Window) -> str:
    """``expr`` with its variables replaced. Raises ``ValueError`` naming one that nobody sets.

    ``$1`` of ``label_replace`` and ``$`` at the end of a regular expression are no variables.
    """
    known = shown.variables()

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in known:
            raise ValueError(f"the variable ${name} is not known here")
        return known[name]

    return _VARIABLE.sub(value, expr)
