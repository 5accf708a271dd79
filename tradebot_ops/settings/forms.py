"""How the value of a setting may be written, and the form in which the services read it.

Each check returns that form, or raises ``ValueError`` with what is wrong and what to write.
"""

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from tradebot_ops import units

LONGEST_JOB_S = 7 * 86400


def size(text: str) -> str:
    return str(units.size(text))


def kilobytes(text: str) -> str:
    """Postgres reads a bare number as 8 kB pages and knows only ``kB``, ``MB``, ``GB``: always say kB."""
    return f"{units.size(text) // 1024}kB"


def megabytes(text: str) -> str:
    """Prometheus knows only whole numbers of B, KB, MB, GB."""
    return f"{units.size(text) // 1024**2}MB"


def keeping(text: str) -> str:
    try:
        lasting = units.seconds(text.strip(), units.KEEPING)
    except ValueError:
        lasting = 0.0
    if lasting <= 0:
        raise ValueError(f"'{text}' is not a time to keep; write hours, days, weeks or years, such as 15d")
    return text.strip()


def time_limits(text: str) -> str:
    """Types of jobs with the time that one may take, in seconds: ``load_candles=1h,sweep=7200`` is
    ``load_candles=3600,sweep=7200``."""
    return ",".join(_limit(part.strip()) for part in text.split(",") if part.strip())


def _limit(part: str) -> str:
    name, _, lasting = part.partition("=")
    try:
        taken = float(lasting) if lasting.isdigit() else units.seconds(lasting.strip())
    except ValueError:
        taken = 0.0
    if not re.fullmatch(r"[\w-]+", name) or not 1 <= taken <= LONGEST_JOB_S or taken % 1:
        raise ValueError(f"'{part}' is not a type with a time from 1s to 168h; write one such as load_candles=1h")
    return f"{name}={taken:.0f}"


#: The words for on and off, of which shells and programs have many; nothing at all is off.
_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def is_on(text: str) -> bool:
    """The one reading of what is either on or off."""
    if (word := text.strip().lower()) and word not in _SWITCH:
        raise ValueError(f"'{text}' is neither on nor off; write one of {', '.join(_SWITCH)}")
    return _SWITCH.get(word, False)


def switch(text: str) -> str:
    is_on(text)
    return text.strip().lower()


def whole(low: int, high: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(r"-?\d+", text.strip()) or not low <= int(text) <= high:
            raise ValueError(f"'{text}' is not a whole number from {low} to {high}")
        return str(int(text))

    return check


port = whole(1, 65535)


def address(text: str) -> str:
    """Of this host; 0.0.0.0 is each one that it has."""
    try:
        return str(ipaddress.IPv4Address(text.strip()))
    except ValueError:
        raise ValueError(
            f"'{text}' is not an address; write 127.0.0.1, 0.0.0.0, or one that `ip address` shows"
        ) from None


def host(text: str) -> str:
    """A host's name or address, as certificates have it."""
    word = text.strip().lower()
    with suppress(ValueError):
        return str(ipaddress.ip_address(word))
    if not re.fullmatch(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]*[a-z][a-z0-9_-]*", word):
        raise ValueError(f"'{text}' is neither a host name nor an address; write one such as trading.example.com")
    return word


def ports(text: str) -> str:
    """A port, or a range of which plain Compose gives each replica one; here the first one is taken."""
    first, dash, last = text.partition("-")
    if dash and int(port(first)) > int(port(last)):
        raise ValueError(f"'{text}' ends before it begins")
    return f"{port(first)}-{port(last)}" if dash else port(text)


def name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*|", word := text.strip().lower()):
        raise ValueError(f"'{text}' is not a name; write letters, digits and dashes")
    return word


def private_address(text: str) -> str:
    """The address of an HTTP service. One in the clear must not lead through the internet: a password goes along."""
    if not (url := text.strip().rstrip("/")):
        return ""
    wrong = ValueError(f"'{text}' is not an address without a login; write one such as http://127.0.0.1:8080")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not host or port == 0 or parts.username is not None:
        raise wrong
    if parts.scheme == "http" and _is_public(host):
        raise ValueError(f"'{text}' is a public address, where others would read the password; use a tunnel or https")
    return url


def private_addresses(text: str) -> str:
    """Several of them, with commas between."""
    return ",".join(filter(None, map(private_address, text.split(","))))


def _is_public(host: str) -> bool:
    """A name may be anything, and only whoever asks it knows."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def one_of(*allowed: str) -> Callable[[str], str]:
    """One of these words, in whatever case: shells are full of ``LOG_LEVEL=INFO``."""

    def check(text: str) -> str:
        if (word := text.strip().lower()) not in allowed:
            raise ValueError(f"'{text}' is not one of {', '.join(allowed)}")
        return word

    return check
