"""A container besides its service: names, limits of its processes, its terminal."""

import re
from collections.abc import Mapping

from tradebot_ops.stack.model import Host
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.read import Reader

KEYS = frozenset(
    {"container_name", "extra_hosts", "hostname", "pull_policy", "shm_size", "stdin_open", "tty", "ulimits"}
)
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
#: These are what happens anyway: an image that is there is used, one that is not is built or pulled.
_PULL = ("missing", "if_not_present", "build")


def read_host(reader: Reader, fields: Mapping[str, Item]) -> Host:
    pull = fields.get("pull_policy")
    if pull is not None and reader.text(pull, _PULL[0]) not in _PULL:
        hint = "Remove the key: an image that is there is used; `tradebot pull` fetches newer ones."
        reader.fail(pull, f"is {reader.text(pull)!r}, which `up` does not do", hint)
    return Host(
        container_name=_container_name(reader, fields.get("container_name")),
        hostname=reader.text(fields.get("hostname")),
        extra_hosts=_extra_hosts(reader, fields.get("extra_hosts")),
        ulimits={name: _ulimit(reader, item) for name, item in reader.mapping(fields.get("ulimits")).items()},
        shm_size=reader.size(fields.get("shm_size")),
        tty=reader.boolean(fields.get("tty")),
        stdin_open=reader.boolean(fields.get("stdin_open")),
    )


def _container_name(reader: Reader, item: Item | None) -> str:
    name = reader.text(item)
    if item is not None and name and not _NAME.fullmatch(name):
        reader.fail(item, f"is {name!r}", "Use letters, digits, `_`, `.` and `-`, two at least.")
    return name


def _extra_hosts(reader: Reader, item: Item | None) -> dict[str, str]:
    """``name=address`` or ``name:address`` lines, or a mapping."""
    if item is None or not isinstance(item.value, list):
        return {name: reader.text(child).strip("[]") for name, child in reader.mapping(item).items()}
    found = {}
    for entry in item.value:
        name, separator, address = re.sub("[=:]", "\0", reader.text(entry), count=1).partition("\0")
        if not separator or not name or not address:
            reader.fail(entry, f"is {reader.text(entry)!r}", 'Write "name=192.0.2.7" or "name=host-gateway".')
        found[name] = address.strip("[]")
    return found


def _ulimit(reader: Reader, item: Item) -> tuple[int, int]:
    """One number for both limits, or each of them; -1 is none."""
    if not isinstance(item.value, dict):
        both = reader.integer(item, least=-1)
        return both, both
    fields = reader.fields(item, frozenset({"soft", "hard"}))
    named = [*reader.required(item, fields, "soft"), *reader.required(item, fields, "hard")]
    limits = [reader.integer(each, least=-1) for each in named]
    return (limits[0], limits[-1]) if limits else (0, 0)
