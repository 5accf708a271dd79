"""Durations and sizes as Compose and the settings write them."""

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def seconds(text: str) -> float:
    """``1m30s`` is 90.0. Raises ``ValueError`` for anything else, a bare number included."""
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        raise ValueError(f"{text!r} is no duration")
    return sum(float(part.group(1)) * _SECONDS[part.group(2)] for part in parts)


def size(text: str) -> int:
    """``4gb``, ``4g`` and ``4GiB`` are 4 × 1024³ bytes; a bare number is bytes. Raises ``ValueError``."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text}' is not a size; write a number with b, kb, mb or gb, such as 512mb")
    return int(float(match.group(1)) * 1024 ** _POWERS[match.group(2).lower()])
