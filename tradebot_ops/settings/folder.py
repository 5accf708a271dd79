"""The folder that a command's settings come from: the compose file's own, whatever folder below it one stands in."""

from collections.abc import Iterator, Sequence
from pathlib import Path

TOML = "tradebot.toml"
#: The old names (docker-compose.yml) are left out: upwards of some folder they are often another project's.
COMPOSE_FILES = ("compose.yaml", "compose.yml")


def settings_folder(files: Sequence[Path], cwd: Path) -> Path:
    """The folder of the first named compose file, else of the nearest one upwards, as Compose has it; else ``cwd``."""
    if files:
        return files[0].parent
    found = nearest(COMPOSE_FILES, cwd)
    return found.parent if found else cwd


def nearest(names: Sequence[str], cwd: Path) -> Path | None:
    """The first file of one of these names, in ``cwd`` or upwards."""
    return next(_upwards(names, cwd), None)


def _upwards(names: Sequence[str], cwd: Path) -> Iterator[Path]:
    paths = (folder / name for folder in (cwd, *cwd.parents) for name in names)
    return (path for path in paths if path.is_file())
