"""Several files into one description, as Compose merges ``-f base -f override``.

Mappings merge key by key and later files win. Commands, entrypoints and health tests are replaced as a whole.
``ports``, ``expose``, ``profiles``, ``env_file`` and the lists of capabilities, groups, tmpfs and security options
are joined, doubles dropped. ``volumes``, ``secrets`` and ``configs`` of a service are joined by their target.
``logging`` is replaced by one with another driver.
``environment``, ``labels``, ``depends_on``, ``networks`` and ``build`` merge by key in either of their spellings.
Another key without a value changes nothing; that of an environment variable asks for the shell's.
``!override`` replaces what an earlier file wrote, ``!reset`` removes it.
"""

from collections.abc import Callable
from dataclasses import replace

from tradebot_ops.stack.model import Condition
from tradebot_ops.stack.reading.document import Item

#: Paths within a service: elsewhere, and deeper down, a user may name anything so.
_REPLACED = {("command",), ("entrypoint",), ("healthcheck", "test")}
_PAIRS = {("environment",), ("labels",), ("build", "args"), ("logging", "options")}
_SHORT = _PAIRS | {("build",), ("networks",), ("depends_on",)}
_LISTED_PAIRS = {path[-1] for path in _PAIRS}
_BY_TARGET = {("volumes",), ("secrets",), ("configs",)}


def merge(base: Item, over: Item) -> Item:
    """Lay the tree of a later file over that of an earlier one."""
    return _merge(base, over, ())


def settle(item: Item) -> Item:
    """Drop what ``!reset`` removed, also where there was nothing to remove."""
    if isinstance(item.value, dict):
        kept = {key: settle(child) for key, child in item.value.items() if child.tag != "!reset"}
        return replace(item, value=kept)
    if isinstance(item.value, list):
        return replace(item, value=[settle(child) for child in item.value if child.tag != "!reset"])
    return item


def _merge(base: Item, over: Item, keys: tuple[str, ...]) -> Item:
    within = keys[2:] if keys[:1] == ("services",) else ()
    if over.tag or within in _REPLACED:
        return over
    if over.value is None and within[:-1] not in _PAIRS:
        return base
    if within in _SHORT:
        base, over = spelled_out(base, within[-1]), spelled_out(over, within[-1])
    if within == ("logging",) and _another_driver(base, over):
        return over
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        merged = dict(base.value)
        for name, child in over.value.items():
            merged[name] = _merge(merged[name], child, (*keys, name)) if name in merged else child
        return replace(base, value=merged)
    if isinstance(base.value, list) and isinstance(over.value, list):
        identity = _target if within in _BY_TARGET else _whole
        return replace(base, value=_joined(base.value, over.value, identity))
    return over


def _another_driver(base: Item, over: Item) -> bool:
    """Both name a driver, and not the same: the options of the one mean nothing to the other."""
    drivers = [
        item.value["driver"].raw for item in (base, over) if isinstance(item.value, dict) and "driver" in item.value
    ]
    return len(set(drivers)) == 2


def _joined(base: list[Item], over: list[Item], identity: Callable[[Item], str]) -> list[Item]:
    return list({identity(item): item for item in (*base, *over)}.values())


def _whole(item: Item) -> str:
    return repr(item.plain())


def _target(item: Item) -> str:
    """Where a mount or secret appears in the container, in either spelling."""
    if isinstance(item.value, dict):
        target = item.value.get("target") or item.value.get("source")
        return target.raw if target else _whole(item)
    parts = item.raw.split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def spelled_out(item: Item, key: str) -> Item:
    """The short spelling of a key as the mapping it stands for."""
    if key == "build" and isinstance(item.value, str):
        return replace(item, value={"context": replace(item)})
    if not isinstance(item.value, list):
        return item
    if key in _LISTED_PAIRS:
        return replace(item, value=dict(_pair(child) for child in item.value))
    if key == "networks":
        return replace(item, value={child.raw: replace(child, value=None, raw="") for child in item.value})
    if key == "depends_on":
        return replace(item, value={child.raw: replace(child, value=_started(child)) for child in item.value})
    return item


def _started(item: Item) -> dict[str, Item]:
    """Meaning of the short spelling of a dependency; as a later file it also overrides another condition."""
    return {"condition": replace(item, value=str(Condition.STARTED), raw=str(Condition.STARTED))}


def _pair(item: Item) -> tuple[str, Item]:
    name, equals, value = item.raw.partition("=")
    return name, replace(item, value=value if equals else None, raw=value)
