"""Measured values as people read them, by Grafana's names of units, and their course as a line of text.

Our own instead of humanize, which knows neither Grafana's units nor their digits: the terminal and the dashboard must
show the same text for the same sample.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

_BARS = "▁▂▃▄▅▆▇█"
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = ("", " k", " M", " G")


def quantity(value: float | None, unit: str, decimals: int | None = None) -> str:
    """``value`` in its unit: ``quantity(0.25, "s")`` is ``250 ms``; a dash where there is none."""
    if value is None:
        return "–"
    if unit == "s":
        return _seconds(value)
    if unit == "ops":
        return f"{_digits(value)}/s"
    if unit == "percentunit":
        return f"{_digits(100 * value, 1)} %"
    if unit == "bytes":
        return _scaled(value, 1024, tuple(f" {name}" for name in _BINARY), 0)
    return _scaled(value, 1000, _DECIMAL, decimals)


def sparkline(values: Sequence[float | None], width: int, low: float | None = None) -> str:
    """The highest value of each of ``width`` stretches as a bar; a space where nothing was measured.

    A constant other than zero is in the middle: the lowest bar would say that there is nothing.
    """
    stretches = [_peak(values, place, width) for place in range(width)]
    known = [value for value in stretches if value is not None]
    if not known:
        return " " * width
    bottom = min(known) if low is None else min(low, *known)
    height = max(known) - bottom
    flat = _BARS[len(_BARS) // 2 - 1] if bottom else _BARS[0]
    bars = (
        None if value is None else _BARS[_step(value - bottom, height)] if height > 0 else flat for value in stretches
    )
    return "".join(bar or " " for bar in bars)


def latest(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def peak(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _peak(values: Sequence[float | None], place: int, width: int) -> float | None:
    start = place * len(values) // width
    return peak(values[start : max((place + 1) * len(values) // width, start + 1)])


def _step(above: float, height: float) -> int:
    return round(above / height * (len(_BARS) - 1))


def _seconds(value: float) -> str:
    for limit, factor, unit in ((0.001, 1e6, "µs"), (1, 1000, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
        if 0 < abs(value) < limit:
            return f"{_digits(value * factor)} {unit}"
    return f"{_digits(value / 3600)} h" if value else "0 s"


def _scaled(value: float, base: int, names: Sequence[str], decimals: int | None) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value, step = value / base, step + 1
    # A whole number stays whole until it is scaled.
    return _digits(value, None if step else decimals) + names[step]


def _digits(value: float, decimals: int | None = None) -> str:
    size = abs(value)
    places = (0 if size >= 100 else 1 if size >= 10 else 2) if decimals is None else decimals
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def human_bytes(size: int) -> str:
    """A whole number of bytes in at most seven characters: ``3 MB``, ``1.5 GB``."""
    value = float(size)
    for unit in ("B", "KB", "MB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GB"


def age(passed: timedelta) -> str:
    """A time span in its largest unit that still says enough: ``90 s``, ``5 min``, ``30 h``, ``3 d``; never negative.

    Written here, because the libraries for this write whole words ("11 seconds"), too wide for a column.
    """
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(at: str, now: datetime) -> str:
    """How long before ``now`` something was, by its time in ISO 8601 with an offset, as `age` writes it."""
    return age(now - datetime.fromisoformat(at))
