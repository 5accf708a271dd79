"""Whatever somebody writes into the file: a stack or an ``OpsError``, never another exception."""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tradebot_ops
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.reading import document
from tradebot_ops.stack.reading.service import SUPPORTED
from tradebot_ops.stack.source import Source

ROOT = Path(tradebot_ops.__file__).resolve().parent.parent
SHIPPED = document.parse((ROOT / "compose.yaml").read_text(encoding="utf-8"), ROOT / "compose.yaml").plain()

ODD = [
    "",
    "a",
    "a b",
    "-1",
    "99999999999",
    "é",
    "\0",
    "./\0",
    "~",
    "'q",
    "${A",
    "$B",
    "${C:-d}",
    "٣:٣",
    "1_0",
    "true",
    "no",
]
KNOWN = [
    "x=y",
    "80:80",
    "[::1]:1:2",
    "a:b:c:d",
    "./x:/y",
    "/t:size=1m",
    "1m30s",
    "4gb",
    "service_healthy",
    "redis",
    ".",
]
WORDS = st.sampled_from(ODD + KNOWN)
SCALARS = st.none() | st.booleans() | st.integers(-10, 10**12) | st.floats(allow_nan=False) | WORDS
KEYS = st.sampled_from(
    [*SUPPORTED, "x-tradebot", "x-other", "source", "target", "test", "condition", "file", "external", "name", "<<"]
)
VALUES = st.recursive(SCALARS, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(KEYS, deeper, max_size=3))


def attempt(tree: Any, folder: Path) -> Stack | None:
    file = folder / "compose.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    with contextlib.suppress(OpsError):
        return load(Source((file,), folder, ""), {"HOME": "/h"}, project="p", profiles=["*"], cache=folder / "cache")
    return None


def paths(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree, but for what only anchors refer to."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    below = [
        path for key, child in children if not str(key).startswith("x-") or here for path in paths(child, (*here, key))
    ]
    return [here, *below] if here else below


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(paths(SHIPPED)), VALUES)
def test_any_value_of_the_shipped_file_may_be_replaced(
    tmp_path_factory: Any, path: tuple[Any, ...], value: object
) -> None:
    tree = copy.deepcopy(SHIPPED)
    below = tree
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = value
    attempt(tree, tmp_path_factory.mktemp("shipped", numbered=True))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, VALUES, max_size=4), VALUES, VALUES)
def test_any_service_may_be_written(
    tmp_path_factory: Any, app: dict[str, object], volumes: object, secrets: object
) -> None:
    folder = tmp_path_factory.mktemp("service", numbered=True)
    stack = attempt({"services": {"app": app}, "volumes": volumes, "secrets": secrets}, folder)
    for service in stack.services.values() if stack else ():
        assert service.image
        assert len(service.spec_hash) == 64
