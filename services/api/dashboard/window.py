"""The stretch of time a dashboard shows, and Grafana's variables that depend on it. Pure."""

import math
import re
from dataclasses import dataclass

RANGES = ("15m", "1h", "6h", "24h", "7d")
"""The ranges on offer. Any other length will do."""

SHORTEST_S, LONGEST_S = 60, 92 * 86400

SCRAPE_INTERVAL_S = 15
POINTS = 240
_LENGTH = re.compile(r"([1-9]\d{0,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
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


def length_s(text: str) -> int:
    """Seconds of a range such as ``90m``. Raises ``ValueError`` with a sentence about what would do."""
    match = _LENGTH.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise ValueError(f"'{text}' is no range. Use {', '.join(RANGES)}, or any from 1m to 92d, such as 90m.")
    return seconds


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
