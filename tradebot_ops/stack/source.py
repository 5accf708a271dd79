"""Where the stack's description lies: the user's own, a checkout's, or the one that ships in this package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tradebot_ops
from tradebot_ops.errors import OpsError
from tradebot_ops.settings.folder import COMPOSE_FILES, nearest
from tradebot_ops.stack.problems import Code
from tradebot_ops.text.suggest import did_you_mean

#: Compose merges this file into the one beside it without being asked, so tradebot does.
OVERRIDE_NAMES = ("compose.override.yaml", "compose.override.yml")


@dataclass(frozen=True)
class Source:
    """The files to merge, the folder their relative paths start from, and why these were chosen."""

    files: tuple[Path, ...]
    folder: Path
    why: str


def find(explicit: Sequence[str | Path], cwd: Path, package: Path | None = None) -> Source:
    """Choose the description: ``-f``, else upwards of ``cwd``, else the checkout, else package data.

    ``package`` is the folder of ``tradebot_ops``; tests pass another. Raises ``OpsError`` TB-0810 when a named
    file does not exist or nothing is found.
    """
    if explicit:
        return _named([cwd / Path(name).expanduser() for name in explicit])
    if file := nearest(COMPOSE_FILES, cwd):
        return Source((file, *_override(file.parent)), file.parent, f"{file.name} in {file.parent}")
    return _own(cwd, package or _package())


def default_folder(package: Path | None = None) -> Path:
    """The folder of tradebot's own stack, whatever lies around the caller: the checkout, else package data."""
    package = package or _package()
    return _own(package, package).folder


def _package() -> Path:
    return Path(tradebot_ops.__file__).resolve().parent


def _own(cwd: Path, package: Path) -> Source:
    checkout, shipped = package.parent / COMPOSE_FILES[0], package / "_stack" / COMPOSE_FILES[0]
    if checkout.is_file() and (package.parent / "pyproject.toml").is_file():
        files = (checkout, *_override(checkout.parent))
        return Source(files, checkout.parent, f"the checkout this tradebot runs from, {checkout.parent}")
    if shipped.is_file():
        return Source(
            (shipped,),
            shipped.parent,
            "the stack that ships with tradebot; `tradebot init` copies it for editing",
        )
    raise OpsError(
        f"There is no {COMPOSE_FILES[0]} here or above, and this installation ships none.",
        code=Code.FILE,
        hint="Name one with -f FILE, or install tradebot again: pip install --force-reinstall tradebot-ops",
    )


def _named(files: list[Path]) -> Source:
    for file in files:
        if not file.is_file():
            near = [path.name for path in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
            hint = f"{did_you_mean(file.name, near)} Name an existing file with -f.".lstrip()
            raise OpsError(f"There is no file {file}.", code=Code.FILE, hint=hint)
    files = [file.resolve() for file in files]
    return Source(tuple(files), files[0].parent, "named with -f")


def _override(folder: Path) -> tuple[Path, ...]:
    found = (folder / name for name in OVERRIDE_NAMES)
    return tuple(path for path in found if path.is_file())[:1]
