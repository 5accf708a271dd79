"""Fingerprints that show whether a running replica is still what the description asks for.

Two are kept apart, because the answer differs: another specification means a new replica, while other contents of
mounted configuration mean that it reads them again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tradebot_ops.stack.model import Build, MountKind, Service, Stack

#: Not part of what a replica is: how many there are, who waits for whom, how the image is made, how it is probed.
_LEFT_OUT = {
    "build",
    "content_hash",
    "depends_on",
    "needs_memory",
    "one_shot",
    "probe",
    "profiles",
    "reload",
    "replicas",
    "scalable",
    "spec_hash",
}
#: Mounted folders beyond these bounds are data, not configuration; their contents are not followed.
MAX_FILES = 1000
MAX_BYTES = 8 * 1024 * 1024
_NEVER = tuple(map(Path, ("/proc", "/sys", "/dev", "/run", "/var/run")))


def hashed(stack: Stack, service: Service) -> Service:
    """The service with both hashes filled in."""
    return replace(service, spec_hash=spec_hash(stack, service), content_hash=content_hash(stack, service))


def spec_hash(stack: Stack, service: Service) -> str:
    return _digest(json.dumps(specification(stack, service), sort_keys=True, default=str).encode())


def specification(stack: Stack, service: Service) -> dict[str, Any]:
    """Everything that makes a replica differ, from the typed model, so that spelling and order of keys do not.

    What has its default is left out: a new field in a later version of tradebot recreates nothing by itself.
    """
    spec = {key: value for key, value in _spec(service).items() if key not in _LEFT_OUT}
    spec["files"] = [
        [secret.name, str(secret.file), secret.derive]
        for declared, used in ((stack.secrets, service.secrets), (stack.configs, service.configs))
        for secret in (declared[mount.source] for mount in used if mount.source in declared)
    ]
    spec["volumes"] = [stack.volumes[mount.source].name for mount in service.mounts if mount.source in stack.volumes]
    return spec


def _spec(part: Any) -> Any:
    """A part of the model as plain data; who chose a port is no part of it."""
    if isinstance(part, tuple):
        return [_spec(entry) for entry in part]
    if not is_dataclass(part):
        return part
    return {
        field.name: _spec(getattr(part, field.name))
        for field in fields(part)
        if field.name != "explicit" and getattr(part, field.name) != _default(field)
    }


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def content_hash(stack: Stack, service: Service) -> str:
    """Contents of read-only bind mounts and of configs; empty when the service mounts none."""
    parts = [f"{root}\0{_contents(root)}" for root in configuration_of(stack, service)]
    return _digest("\0".join(parts).encode()) if parts else ""


def mounted_files(stack: Stack, service: Service) -> dict[str, str]:
    """Every file that ``content_hash`` covers with a digest of its own, to find later which one was edited."""
    found = {}
    for root in configuration_of(stack, service):
        for path in islice(_files(root), MAX_FILES):
            try:
                large = path.stat().st_size > MAX_BYTES
                found[str(path)] = "" if large else _digest(path.read_bytes())
            except OSError:
                found[str(path)] = ""
    return found


def source_hash(build: Build) -> str:
    """Files that a service built from a folder runs where no image lies between: the folder without what Python and
    editors leave in it, and without the Dockerfile."""
    return _contents(
        build.context, lambda path: path != build.dockerfile and path.name != "__pycache__" and path.name[0] != "."
    )


def configuration_of(stack: Stack, service: Service) -> list[Path]:
    """Mounted configuration: files and folders, those that are followed."""
    roots = [Path(m.source) for m in service.mounts if m.kind is MountKind.BIND and m.read_only]
    roots += [stack.configs[config.source].file for config in service.configs if config.source in stack.configs]
    return [root for root in sorted(roots) if _is_configuration(root, stack.folder)]


def _is_configuration(root: Path, folder: Path) -> bool:
    """A parent of the stack, such as ``/``, or a kernel file system is mounted to be looked at."""
    return not folder.is_relative_to(root) and not any(root.is_relative_to(never) for never in _NEVER)


def _contents(root: Path, wanted: Callable[[Path], bool] = bool) -> str:
    digest = hashlib.sha256()
    size = 0
    for count, path in enumerate(_files(root, wanted)):
        try:
            content = path.read_bytes() if size + path.stat().st_size <= MAX_BYTES else None
        except OSError:  # vanished or unreadable: that it is so is part of the fingerprint
            content = b"unreadable"
        if content is None or count >= MAX_FILES:
            return "too much to follow"
        size += len(content)
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(root: Path, wanted: Callable[[Path], bool] = bool) -> Iterator[Path]:
    """The files of a folder, in order, save those it does not want, be they files or folders."""
    if root.is_file():
        yield root
        return
    for path in sorted(filter(wanted, root.iterdir())) if root.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, wanted)
        elif path.is_file():
            yield path


def every_path(root: Path) -> Iterator[Path]:
    """The files of a folder with all folders in it, itself the first, as far as they are followed."""
    yield from islice(_every(root), MAX_FILES)


def _every(root: Path) -> Iterator[Path]:
    if root.is_dir() and not root.is_symlink():
        yield root
        for path in sorted(root.iterdir()) if os.access(root, os.R_OK | os.X_OK) else ():
            yield from _every(path)
    elif root.is_file():
        yield root


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
