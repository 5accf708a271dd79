"""Signals as people write them: ``SIGTERM``, ``term``, ``15``, ``SIGRTMIN+3``."""

import re
import signal

_REAL_TIME = re.compile(r"RTM(?P<end>IN|AX)(?:(?P<sign>[+-])(?P<offset>\d+))?")


def signal_number(text: str) -> int:
    """Its number here; raises ``ValueError`` for what is no signal."""
    name = text.strip().upper().removeprefix("SIG")
    if name.isascii() and name.isdigit():
        found = int(name)
    elif match := _REAL_TIME.fullmatch(name):
        offset = int(match["offset"] or 0) * (-1 if match["sign"] == "-" else 1)
        found = int(signal.SIGRTMIN if match["end"] == "IN" else signal.SIGRTMAX) + offset
    else:
        found = int(signal.Signals.__members__.get(f"SIG{name}", 0))
    if found not in signal.valid_signals():
        raise ValueError(f"'{text}' is no signal")
    return found


def signal_name(number: int) -> str:
    """``SIGTERM``; the number itself for one of the real-time signals in between, which have no name of their own."""
    return next((each.name for each in signal.Signals if each == number), str(number))
