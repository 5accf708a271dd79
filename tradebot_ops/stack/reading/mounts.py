"""Bind mounts, named volumes, tmpfs, and secrets and configs as a service sees them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops import units
from tradebot_ops.stack.model import Mount, MountKind, SecretMount
from tradebot_ops.stack.problems import Code
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.read import Reader

LONG = frozenset({"type", "source", "target", "read_only", "tmpfs", "bind"})
REFERENCE = frozenset({"source", "target", "mode"})
#: How fresh a mount is on a Mac; on Linux they say nothing.
_NO_MEANING = frozenset({"", "cached", "consistent", "delegated"})
_HINT = "Write ./folder:/where/it/appears:ro or volume-name:/where/it/appears."


@dataclass(frozen=True)
class Paths:
    """How relative paths of a file become absolute: from the stack's folder; ``~`` is the user's home."""

    folder: Path
    home: str

    def resolve(self, text: str) -> Path:
        expanded = self.home + text[1:] if text == "~" or text.startswith("~/") else text
        return Path(os.path.normpath(self.folder / expanded))


def read_mounts(reader: Reader, fields: Mapping[str, Item], paths: Paths) -> tuple[Mount, ...]:
    """Entries of ``volumes`` and of ``tmpfs``."""
    volumes = [_mount(reader, item, paths) for item in reader.sequence(fields.get("volumes"))]
    tmpfs = [_tmpfs(reader, item) for item in reader.text_or_texts(fields.get("tmpfs"))]
    return tuple(mount for mount in (*volumes, *tmpfs) if mount)


def _mount(reader: Reader, item: Item, paths: Paths) -> Mount | None:
    mount = _long(reader, item) if isinstance(item.value, dict) else _short(reader, item)
    if mount is None or mount.kind is not MountKind.BIND:
        return mount
    source = paths.resolve(mount.source)
    if not source.exists():
        hint = "Create it or correct the path. An engine would make an empty folder of it."
        reader.fail(item, f"mounts {source}, which does not exist", hint, Code.MISSING_FILE)
    return Mount(MountKind.BIND, str(source), mount.target, mount.read_only)


def _short(reader: Reader, item: Item) -> Mount | None:
    text = reader.text(item)
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target.startswith("/"):
        reader.fail(item, f"is {text!r}, which names no source and absolute target", _HINT)
        return None
    options = set(mode.split(",")) - _NO_MEANING
    if len(options) > 1 or not options <= {"ro", "rw"}:
        reader.fail(item, f"has the mode {mode!r}", "Write ro or rw.")
    kind = MountKind.BIND if source[0] in "./~" else MountKind.VOLUME
    return Mount(kind, source, target, read_only="ro" in options)


def _long(reader: Reader, item: Item) -> Mount | None:
    fields = reader.fields(item, LONG)
    named = list(reader.required(item, fields, "type"))
    kind = MountKind(reader.chosen(named[0] if named else None, tuple(MountKind), MountKind.VOLUME))
    source, target = reader.text(fields.get("source")), reader.text(fields.get("target"))
    if not target.startswith("/") or (kind is not MountKind.TMPFS) != bool(source):
        reader.fail(item, "needs an absolute `target`, and a `source` unless it is a tmpfs", _HINT)
        return None
    bind = reader.fields(fields.get("bind"), frozenset({"create_host_path"}))
    if reader.boolean(bind.get("create_host_path")):
        reader.fail(bind["create_host_path"], "is true; a missing source is an error here", "Write false.")
    options = reader.fields(fields.get("tmpfs"), frozenset({"size", "mode"}))
    return Mount(
        kind,
        source,
        target,
        read_only=reader.boolean(fields.get("read_only")),
        size=reader.size(options.get("size")),
        mode=_mode(reader, options.get("mode")),
    )


def _tmpfs(reader: Reader, item: Item) -> Mount | None:
    """``/path`` or ``/path:size=64m,mode=1777``."""
    return reader.parsed(item, _parse_tmpfs, None, "Write /path or /path:size=64m,mode=1777.")


def _parse_tmpfs(text: str) -> Mount:
    target, _, options = text.partition(":")
    named = dict(option.split("=", 1) for option in options.split(",") if option)
    if not target.startswith("/") or named.keys() - {"size", "mode"}:
        raise ValueError(text)
    size = units.size(named["size"]) if "size" in named else None
    mode = int(named["mode"], 8) if "mode" in named else None
    return Mount(MountKind.TMPFS, "", target, size=size, mode=mode)


def read_references(reader: Reader, item: Item | None, folder: str) -> tuple[SecretMount, ...]:
    """Entries of a service's ``secrets`` (``folder`` is /run/secrets) or ``configs`` (``folder`` is /)."""
    return tuple(_reference(reader, entry, folder) for entry in reader.sequence(item))


def _reference(reader: Reader, item: Item, folder: str) -> SecretMount:
    if not isinstance(item.value, dict):
        name = reader.text(item)
        return SecretMount(name, str(Path(folder) / name))
    fields = reader.fields(item, REFERENCE)
    name = next((reader.text(source) for source in reader.required(item, fields, "source")), "")
    target = reader.text(fields.get("target"), name)
    return SecretMount(name, str(Path(folder) / target), _mode(reader, fields.get("mode")))


def _mode(reader: Reader, item: Item | None) -> int | None:
    return reader.parsed(item, _octal, None, "Write octal digits with a leading 0, such as 0400.")


def _octal(text: str) -> int:
    if not text.startswith("0"):  # Compose would read 400 as a decimal number
        raise ValueError(text)
    return int(text.removeprefix("0o"), 8)
