"""Python packages for an image, downloaded here: so that building needs no network and no host's private CA."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import writable
from tradebot_ops.text.sentences import agreed

PYTHON = "3.13"
SECONDS = 600
#: Published as source only. Built here without its optional compiled parts, so the wheel fits every Python.
SOURCE_ONLY = {"peewee": {"NO_SQLITE": "1"}}
#: The image's platform on each machine; glibc of Debian 13 is newer than this.
PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64"}

Say = Callable[[str], None]


def download(services: Path, architecture: str, cache: Path, say: Say) -> Mapping[str, Path]:
    """Wheels for ``services/requirements.txt`` as pinned, as name -> path. ``architecture`` is the engine's.

    Raises OpsError TB-0506 with pip's own last lines.
    """
    folder = cache / f"wheels-{PYTHON}-{architecture}"
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pins = (services / "constraints.txt").read_text(encoding="utf-8").split()
    for name, environ in SOURCE_ONLY.items():
        pinned = [line for line in pins if line.startswith(f"{name}==")]
        if pinned and not list(folder.glob(f"{pinned[0].replace('==', '-')}-*.whl")):
            say(f"building {pinned[0]}")
            _pip(["wheel", "--no-cache-dir", "--no-deps", "--no-binary", name, "-w", str(folder), *pinned], environ)
    if missing := _missing(folder, pins):
        say(agreed(f"downloading {len(missing)} packages for Python {PYTHON}"))
        _download(services, folder, architecture)
    return {path.name: path for path in _pinned(folder, pins)}


def _download(services: Path, folder: Path, architecture: str) -> None:
    platform = PLATFORMS.get(architecture, architecture)
    _pip(
        [
            *("download", "--dest", str(folder), "--find-links", str(folder)),
            *("--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:"),
            *(f"--platform=manylinux_2_{glibc}_{platform}" for glibc in (28, 24, 17)),
            *(f"--platform=manylinux{old}_{platform}" for old in (2014, 2010)),
            *("--requirement", str(services / "requirements.txt")),
            *("--constraint", str(services / "constraints.txt")),
        ],
        {},
    )


def _missing(folder: Path, pins: list[str]) -> set[str]:
    there = {"==".join(path.name.lower().split("-")[:2]) for path in _pinned(folder, pins)}
    return {pin.lower().replace("-", "_") for pin in pins if "==" in pin} - there


def _pinned(folder: Path, pins: list[str]) -> list[Path]:
    """Only what the pins name: the cache may hold older versions."""
    wanted = {tuple(pin.lower().replace("-", "_").split("==")) for pin in pins if "==" in pin}
    return [path for path in sorted(folder.glob("*.whl")) if tuple(path.name.lower().split("-")[:2]) in wanted]


def _pip(arguments: list[str], environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, **environ},
        )
    except subprocess.TimeoutExpired as error:
        raise OpsError(
            f"pip did not finish within {SECONDS} s.",
            code="TB-0604",
            hint="Look whether the package index answers: pip download --no-deps -d /tmp fastapi",
        ) from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1] if lines else "")
        raise OpsError(
            f"The Python packages of the app image cannot be downloaded: {reason.removeprefix('ERROR: ').rstrip('.')}.",
            code="TB-0506",
            hint="Check that this machine reaches a Python package index: pip download --no-deps -d /tmp fastapi",
            detail=tuple(lines[-10:]),
        )
