"""The configuration inside a backup: the description, config/ and the settings; secrets are left out."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tradebot_ops.backups.shelf import CONFIG, Backup
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import make_private, writable
from tradebot_ops.settings import STACK_SETTINGS
from tradebot_ops.settings.folder import TOML
from tradebot_ops.text.dotenv import line_of

#: Settings that were given, in the form of an environment file.
SETTINGS = "settings.env"


def pack(ops: Ops, target: Path) -> None:
    """Write the archive, uncompressed. Of ``.env`` it has the declared settings alone: anything may stand in there."""
    with tarfile.open(target, "w") as archive:
        for name, path in _files(ops):
            archive.add(path, arcname=name, recursive=False, filter=_anonymous)
        text = "".join(line_of(name, value) for name, value in _settings(ops).items()).encode()
        entry = tarfile.TarInfo(SETTINGS)
        entry.size, entry.mode = len(text), 0o600
        archive.addfile(entry, io.BytesIO(text))


def unpack(backup: Backup, target: Path) -> tuple[str, ...]:
    """Write the files into a folder that is not there yet; returns their names. Raises ``OpsError`` TB-0925."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OpsError(
            f"{target} holds files already; nothing was written.",
            code="TB-0925",
            hint=f"Name an empty folder: tradebot backup restore {backup.id} --only config --to FOLDER",
        )
    with writable(target):
        make_private(target)
        with tarfile.open(backup.folder / CONFIG) as archive:
            for entry in archive:
                path = (target / entry.name).resolve()
                if entry.isfile() and path.is_relative_to(target.resolve()) and (file := archive.extractfile(entry)):
                    make_private(path.parent)
                    path.write_bytes(file.read())
    return tuple(sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()))


def _files(ops: Ops) -> Iterator[tuple[str, Path]]:
    folder = ops.source.folder
    for path in ops.source.files:
        yield path.name, path
    for path in sorted((folder / "config").rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), path
    toml = ops.settings.folder / TOML
    if toml.is_file():
        yield TOML, toml


def _settings(ops: Ops) -> dict[str, str]:
    values = {setting.name: ops.settings.stack[setting.name] for setting in STACK_SETTINGS}
    given = {name: value.text for name, value in values.items() if value.origin != "default"}
    return given | {f"{name.upper()}_REPLICAS": str(count) for name, count in ops.desired_replicas.items()}


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
