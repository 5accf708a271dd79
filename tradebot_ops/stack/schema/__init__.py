"""The Compose specification's own schema, asked after the typed reader is content.

Importing jsonschema and checking takes about 0.2 s, so a description that passed is remembered by its hash and
not checked again: ``status`` and an ``up`` without changes pay for the hash alone. The hash covers the merged and
interpolated description and the schema itself, so an edit, another variable or an upgrade is checked anew.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradebot_ops.stack.problems import Code, Place, Problems
from tradebot_ops.stack.reading.document import Item

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

SCHEMA = Path(__file__).with_name("compose-spec.json")
_REMEMBERED = 64
_HINT = "See https://docs.docker.com/reference/compose-file/"


def check(tree: Item, cache: Path | None) -> None:
    """Raise ``OpsError`` TB-0812 for what the schema refuses; ``cache`` is a folder, made when needed."""
    plain = tree.plain()
    marker = cache / "valid-stacks" / _fingerprint(plain) if cache else None
    if marker is not None and marker.exists():
        return
    problems = Problems()
    for error in _causes(_errors(plain)):
        problems.add(Code.SCHEMA, _place(tree, error), error.message, _HINT)
    problems.raise_if_any()
    if marker is not None:
        _remember(marker)


def _fingerprint(plain: Any) -> str:
    digest = hashlib.sha256(SCHEMA.read_bytes())
    digest.update(json.dumps(plain, sort_keys=True).encode())
    return digest.hexdigest()


def _errors(plain: Any) -> "list[ValidationError]":
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator(json.loads(SCHEMA.read_bytes()))
    found = (best_match([error]) for error in validator.iter_errors(plain))
    return [error for error in found if error is not None]


def _causes(errors: "list[ValidationError]") -> "list[ValidationError]":
    """A wrong value makes the schema complain of all that holds it, too: keep the innermost complaints."""
    paths = [tuple(error.absolute_path) for error in errors]

    def is_shadow(path: tuple[str | int, ...]) -> bool:
        return any(len(other) > len(path) and other[: len(path)] == path for other in paths)

    return [error for error, path in zip(errors, paths, strict=True) if not is_shadow(path)]


def _place(tree: Item, error: "ValidationError") -> Place:
    item = tree
    for key in error.absolute_path:
        if isinstance(item.value, dict) and key in item.value:
            item = item.value[str(key)]
        elif isinstance(item.value, list) and isinstance(key, int):
            item = item.value[key]
        else:
            break
    return item.place


def _remember(marker: Path) -> None:
    """A cache that cannot be written costs time, never a command."""
    with contextlib.suppress(OSError):
        marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        marker.touch()
        kept = sorted(marker.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[_REMEMBERED:]:
            old.unlink(missing_ok=True)
