"""``import x as y`` gives one thing two names, so it is used where two names clash, and only there."""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

#: What everybody writes, in the words of the libraries' own documentation.
CONVENTIONS = {("numpy", "np"), ("pandas", "pd"), ("strategies", "st"), ("datetime", "dt")}
#: A set in an annotation would be taken for the built-in one; ruff asks for this name (PYI025).
CONVENTIONS |= {("Set", "AbstractSet")}

Import = ast.Import | ast.ImportFrom


def sources() -> list[Path]:
    return sorted(path for room in ("tradebot_ops", "services", "tests") for path in (ROOT / room).rglob("*.py"))


def needless(source: str) -> list[str]:
    """The aliases of a module whose own name nothing else in it has."""
    tree = ast.parse(source)
    taken = set(_bound(tree))
    return [
        f"line {node.lineno}: {each.name} as {each.asname}"
        for node in ast.walk(tree)
        if isinstance(node, Import)
        for each in node.names
        if each.asname and (each.name, each.asname) not in CONVENTIONS and each.name not in taken
    ]


def _bound(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives to something, built-in ones too: a clash need not be in the same function."""
    yield from dir(builtins)
    for node in ast.walk(tree):
        if isinstance(node, Import):
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.Name):
            yield from [] if isinstance(node.ctx, ast.Load) else [node.id]
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ExceptHandler):
            yield node.name or ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from a import b as c", ["line 1: b as c"]),
        ("import a as c", ["line 1: a as c"]),
        ("from a import b as c\ndef b() -> None: ...", []),
        ("from a import b as c\nfrom d import b", []),
        ("def f(b: int) -> None:\n    from a import b as c", []),
        ("from a import list as c", []),
        ("import numpy as np", []),
        ("import numpy as num", ["line 1: numpy as num"]),
        ("from a import b", []),
    ],
)
def test_which_alias_is_needless(source: str, expected: list[str]) -> None:
    assert needless(source) == expected


def test_every_alias_is_needed() -> None:
    found = {str(path.relative_to(ROOT)): needless(path.read_text(encoding="utf-8")) for path in sources()}
    assert {path: lines for path, lines in found.items() if lines} == {}
