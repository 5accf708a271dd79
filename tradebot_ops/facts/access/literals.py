"""Whether a secret is written where a file belongs: in a replica's environment, in an image, in the stack's files.

Values are compared here and go nowhere: what is found is named by the secret and its place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import KeepsHistory
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.replicas import containers

#: A shorter value is found anywhere.
SHORTEST = 8
MOST_FILES, MOST_BYTES = 5000, 4 * 1024**2
_NAME = re.compile(r"PASSW|SECRET|TOKEN|API_?KEY|CREDENTIAL", re.IGNORECASE)
_IN_URL = re.compile(r"\w+://[^\s:/@]*:[^\s/@]+@")
#: A variable that a step of an image's history sets.
_STEP = re.compile(r"\b(?:ENV|ARG)\s+(\w+)[= ]([^\s]*)")
#: What stands for a file that holds the secret.
_BY_FILE = re.compile(r"/|\$__file\{")
_PARTS = ("compose.yaml", "compose.*.y*ml", "docker-compose*.y*ml", "*.md", "*.toml", ".env*.example")
_FOLDERS = ("config", "services", "docs")


@dataclass(frozen=True)
class Literals:
    """``environment`` and ``elsewhere`` (images and files) say which secret is where.

    ``looked`` counts what was searched, by kind; what is not in it was not searched, and ``unseen`` says why.
    """

    environment: tuple[str, ...]
    elsewhere: tuple[str, ...]
    looked: Mapping[str, int]
    unseen: str = ""


@fact(seconds=30, of=(containers.replicas,))
def found(ops: Ops, replicas: tuple[Inspected, ...]) -> Literals:
    values = dict(_values(ops))
    history = _history(ops)
    files = list(_files(ops.source.folder))
    elsewhere = [f"{name} in the history of {image}" for image, text in history.items() for name in _in(values, text)]
    elsewhere += [f"{name} set in {image}" for image, text in history.items() for name in _set_by_name(text)]
    elsewhere += [
        f"{name} in {path.relative_to(ops.source.folder)}" for path in files for name in _in(values, _text(path))
    ]
    looked = {"replicas": len(replicas), "images": len(history), "files": len(files), "secrets": len(values)}
    environment = [place for each in replicas for place in _environment(each, values)]
    unseen = "" if history else f"The {ops.engine.name} engine keeps no history of images."
    return Literals(tuple(environment), tuple(elsewhere), looked, unseen)


def _values(ops: Ops) -> Iterator[tuple[str, str]]:
    """Secrets that lie in this project's folder, by name."""
    folder = ops.state.secrets
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        value = file.read_text(encoding="utf-8", errors="replace").strip()
        if len(value) >= SHORTEST:
            yield file.name, value


def _in(values: Mapping[str, str], text: str) -> list[str]:
    return [name for name, value in values.items() if value in text]


def _set_by_name(text: str) -> list[str]:
    """Variables of a build with the name of a secret and a value of their own."""
    return sorted({name for name, value in _STEP.findall(text) if _names_a_value(name, value)})


def _names_a_value(name: str, value: str) -> bool:
    return bool(_NAME.search(name)) and not name.endswith("_FILE") and bool(value) and not _BY_FILE.match(value)


def _environment(each: Inspected, values: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(each.environment.items()):
        if _names_a_value(name, value) or _IN_URL.search(value) or _in(values, value):
            yield f"{each.label}: {name}"


def _history(ops: Ops) -> Mapping[str, str]:
    if not isinstance(ops.engine, KeepsHistory):
        return {}
    images = sorted({service.image for service in ops.stack.services.values()})
    return {image: "\n".join(steps) for image, steps in ops.engine.image_history(images).items()}


def _files(folder: Path) -> Iterator[Path]:
    """Files that belong into a repository: the description and its folders."""
    paths = [path for pattern in _PARTS for path in folder.glob(pattern)]
    paths += [path for name in _FOLDERS for path in sorted((folder / name).rglob("*"))[:MOST_FILES]]
    yield from (path for path in paths if path.is_file() and path.stat().st_size <= MOST_BYTES)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # vanished while it was looked at
        return ""
