"""The bundle as one file, its owner's alone; and read back, believing nothing that it says of itself."""

import gzip
import io
import json
import os
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tradebot_ops.diagnostics.bundle.gather import MOST, MOST_FILE, Gathered, Part
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import writable

MANIFEST = "manifest.json"
VERSION = 1
_HINT = "Name a file that `tradebot diag bundle --output-file F` wrote."


def manifest(gathered: Gathered) -> dict[str, Any]:
    """Contents of the bundle: its files, how each collector fared, and what was left out and why."""
    files = {
        part.name: {"bytes": len(part.content), "sha256": part.sha256, "cut_from": part.size if part.cut else None}
        for part in gathered.parts
    }
    rows = [asdict(row) for row in gathered.rows]
    return {"version": VERSION, "files": files, "collectors": rows, "withheld": gathered.withheld}


def write(path: Path, gathered: Gathered) -> int:
    """Replace the file in one step, with mode 0600; returns its size. Raises ``OpsError`` TB-0802."""
    text = json.dumps(manifest(gathered), indent=1)
    parts = (Part(MANIFEST, text, len(text)), *gathered.parts)
    with writable(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600 from its first byte on
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(packed(parts))
                stream.flush()
                os.fsync(stream.fileno())
            size = Path(temporary).stat().st_size
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return size


def packed(parts: tuple[Part, ...]) -> bytes:
    """The same bytes for the same files: no times, no owners."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for part in parts:
            member = tarfile.TarInfo(f"bundle/{part.name}")
            member.size, member.mode = len(part.content), 0o600
            tar.addfile(member, io.BytesIO(part.content))
    return gzip.compress(plain.getvalue(), mtime=0)


def read(path: Path) -> dict[str, str]:
    """The files of a bundle by name. Raises ``OpsError`` TB-0841 for what is none, or was changed since."""
    try:
        files = _members(path)
        listed = json.loads(files.pop(MANIFEST))["files"]
    except (OSError, tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise OpsError(f"{path} is no bundle of tradebot: {error}.", code="TB-0841", hint=_HINT) from None
    wrong = [name for name, text in files.items() if _differs(listed.get(name), Part(name, text, 0))]
    if wrong or listed.keys() - files.keys():
        raise OpsError(f"{path} is damaged or was changed: {(wrong or ['a file'])[0]}.", code="TB-0841", hint=_HINT)
    return files


def _members(path: Path) -> dict[str, str]:
    """Read, never unpacked: a name in it is a name and no path of this host."""
    found, room = {}, MOST + MOST_FILE
    with tarfile.open(path, mode="r:gz") as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isreg() else None
            room -= member.size
            if stream is None or room < 0:
                raise ValueError("it holds what no bundle holds")
            found[member.name.removeprefix("bundle/")] = stream.read().decode("utf-8")
    return found


def _differs(entry: Any, part: Part) -> bool:
    return not isinstance(entry, dict) or entry.get("sha256") != part.sha256
