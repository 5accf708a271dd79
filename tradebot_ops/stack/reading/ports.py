"""Published ports, in the short and the long spelling."""

import re
from collections.abc import Set as AbstractSet

from tradebot_ops.stack.model import Port
from tradebot_ops.stack.problems import Code
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.read import Reader

_SHORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:]+\]|\d+(?:\.\d+){3}):)?"
    r"(?:(?P<published>\d*(?:-\d+)?):)?"
    r"(?P<target>\d+)(?:/(?P<protocol>\w+))?",
    re.ASCII,
)
LONG = frozenset({"target", "published", "host_ip", "protocol"})
_HINT = 'Write "127.0.0.1:8010:8010": address, port outside, port inside.'
_ANYWHERE = "0.0.0.0"  # noqa: S104 - what Compose means by a port without an address; ours always name one
_HIGHEST = 65535


def read_ports(reader: Reader, item: Item | None, chosen: AbstractSet[str]) -> tuple[Port, ...]:
    """Every entry below ``ports``; ``chosen`` names the variables the user set."""
    found = (_port(reader, entry, chosen) for entry in reader.sequence(item))
    return tuple(port for port in found if port)


def _port(reader: Reader, item: Item, chosen: AbstractSet[str]) -> Port | None:
    parts = _long(reader, item) if isinstance(item.value, dict) else _short(reader, item)
    if parts is None:
        return None
    target, published, ip, protocol = parts
    if protocol not in {"", "tcp"}:
        reader.fail(item, f"publishes {protocol}; only tcp is supported", _HINT, Code.PORT)
        return None
    numbers = [int(target), *(int(end) for end in published.split("-") if end)]
    if not all(0 <= number <= _HIGHEST for number in numbers) or not numbers[0]:
        reader.fail(item, f"names a port outside 1-{_HIGHEST}", _HINT, Code.PORT)
        return None
    outside = numbers[1] if len(numbers) > 1 else 0
    return Port(numbers[0], outside, ip.strip("[]") or _ANYWHERE, explicit=bool(outside) and _chosen(item, chosen))


def _short(reader: Reader, item: Item) -> tuple[str, str, str, str] | None:
    text = reader.text(item)
    match = _SHORT.fullmatch(text)
    if not match:
        reader.fail(item, f"is {text!r}, which is no port", _HINT, Code.PORT)
        return None
    return match["target"], match["published"] or "", match["ip"] or "", match["protocol"] or ""


def _long(reader: Reader, item: Item) -> tuple[str, str, str, str] | None:
    fields = reader.fields(item, LONG)
    target, published = reader.text(fields.get("target")), reader.text(fields.get("published"))
    if not re.fullmatch(r"[0-9]+", target) or not re.fullmatch(r"[0-9]*(-[0-9]+)?", published):
        reader.fail(item, f"has no usable port: target {target!r}, published {published!r}", _HINT, Code.PORT)
        return None
    return target, published, reader.text(fields.get("host_ip")), reader.text(fields.get("protocol"))


def _chosen(item: Item, chosen: AbstractSet[str]) -> bool:
    """A literal was chosen by whoever wrote it; a variable's default was not; a variable the user set was."""
    number = item.value.get("published", item) if isinstance(item.value, dict) else item
    return not number.variables or bool(number.variables & chosen)
