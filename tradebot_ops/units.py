"""Durations and sizes as Compose, Prometheus, the settings and people write them; nothing else reads them."""

import re
from dataclasses import dataclass

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zµ]+)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SECONDS |= {"w": 7 * 86400.0, "y": 365 * 86400.0}


@dataclass(frozen=True)
class Form:
    """How durations are written: with which units; ``strict`` takes whole numbers only, the largest unit first."""

    units: tuple[str, ...]
    strict: bool = False


COMPOSE = Form(("ns", "us", "µs", "ms", "s", "m", "h", "d"))
PROMETHEUS = Form(("y", "w", "d", "h", "m", "s", "ms"), strict=True)
#: Of hours and more: how long something is kept, as Prometheus reads it.
KEEPING = Form(("y", "w", "d", "h"), strict=True)
TYPED = Form(("y", "w", "d", "h", "m", "s"))

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def seconds(text: str, form: Form = COMPOSE) -> float:
    """``1m30s`` is 90.0. Raises ``ValueError`` for anything else, a bare number included."""
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    if not parts or "".join(map("".join, parts)) != text or not set(units) <= set(form.units):
        raise ValueError(f"{text!r} is no duration")
    if form.strict and ("." in text or units != [unit for unit in form.units if unit in units]):
        raise ValueError(f"{text!r} is no duration of whole numbers, the largest unit first")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def size(text: str) -> int:
    """``4gb``, ``4g`` and ``4GiB`` are 4 × 1024³ bytes; a bare number is bytes. Raises ``ValueError``."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text}' is not a size; write a number with b, kb, mb or gb, such as 512mb")
    return int(float(match.group(1)) * 1024 ** _POWERS[match.group(2).lower()])
