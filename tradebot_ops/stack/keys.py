"""A service as keys of the compose file with their values, and where each is written: to say which one changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tradebot_ops.stack.hashing import specification
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.merge import spelled_out

#: Names in the model that the file spells otherwise.
_SPELLING = {
    "files": "secrets and configs",
    "limits": "deploy.resources.limits",
    "mounts": "volumes",
    "stop_grace": "stop_grace_period",
    "volumes": "names of volumes",
    "x": "x-tradebot",
}
#: Below these a name is one word, whatever dots are in it.
_NAMED = ("environment", "labels", "networks")


def keys_of(stack: Stack, service: Service) -> dict[str, str]:
    """All that ``spec_hash`` covers: ``environment.LOG_LEVEL`` -> ``info``. What has its default is left out."""
    return dict(_flat(specification(stack, service)))


def _flat(spec: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in spec.items():
        key = f"{before}.{name}" if before else _SPELLING.get(name, name)
        if isinstance(value, Mapping):
            yield from _flat(value, key)
        elif value not in (None, [], ()):
            yield key, _text(value)


def _text(value: Any) -> str:
    """Lists a line each, so that long commands can be compared word by word; mounts and ports as the file has them."""
    if isinstance(value, list | tuple):
        return "\n".join(map(_text, value))
    if isinstance(value, Mapping):
        if "published" in value:
            return f"{value.get('host_ip', '127.0.0.1')}:{value['published']}:{value['target']}"
        if "target" in value:
            return f"{value.get('source', '')}:{value['target']}{':ro' if value.get('read_only') else ''}".lstrip(":")
        return " ".join(f"{name}={_text(inner)}" for name, inner in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def place_of(tree: Item, service: str, key: str) -> Item:
    """Where the key is written: the deepest part of its path that the file has, which may be the service itself."""
    first, _, rest = key.partition(".")
    path = [first, rest] if first in _NAMED else [first, *rest.split(".")]
    found = tree
    for name in ("services", service, *filter(None, path)):
        known = spelled_out(found, first)
        child = known.value.get(name) if isinstance(known.value, dict) else None
        if child is None and name == rest and first == "environment":  # it comes out of a file that the service names
            return _child(_child(_child(tree, "services"), service), "env_file")
        if child is None:
            return found
        found = child
    return found


def _child(item: Item, name: str) -> Item:
    return item.value.get(name, item) if isinstance(item.value, dict) else item


def written_at(item: Item, folder: Path) -> str:
    """``compose.yaml:12``, by the file's path from the folder of the stack where it lies in it."""
    file = item.place.file
    name = file.relative_to(folder) if file.is_relative_to(folder) else file
    return f"{name}:{item.place.line}" if item.place.line else str(name)
