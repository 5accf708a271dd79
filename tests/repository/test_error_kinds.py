"""Failures are told apart by their kind, a class: a code is for people and scripts, and may be given to a new cause."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.paths import ROOT

SOURCE = ROOT / "tradebot_ops"
CODE = re.compile(r"TB-\d*")


def decisions(source: str) -> list[int]:
    """The lines on which something is decided by an error's code.

    A code may be passed on: as an argument, as a value of a document, in text. Anything else done with ``.code``
    compares it or takes it apart; and whoever compares with a string that begins as codes do has one in a variable.
    """
    return sorted({node.lineno for node in _deciding(ast.parse(source))})


def _deciding(tree: ast.AST) -> Iterator[ast.expr]:
    for parent in ast.walk(tree):
        for name, child in ast.iter_fields(parent):
            for node in child if isinstance(child, list) else [child]:
                if _is_code(node) and not _passed_on(parent, name):
                    yield node
        if isinstance(parent, ast.Compare):
            yield from (each for each in ast.walk(parent) if _is_code_text(each))  # type: ignore[misc]
        if isinstance(parent, ast.Call) and getattr(parent.func, "attr", "") in {"startswith", "endswith"}:
            yield from (each for each in parent.args if _is_code_text(each))
        if isinstance(parent, ast.MatchValue) and _is_code_text(parent.value):
            yield parent.value


def _is_code(node: object) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "code" and isinstance(node.ctx, ast.Load)


def _is_code_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(CODE.fullmatch(node.value))


def _passed_on(parent: ast.AST, field: str) -> bool:
    """As an argument, a value of a dictionary or text; chosen by something else than itself."""
    if isinstance(parent, ast.IfExp):
        return field in {"body", "orelse"}
    return isinstance(parent, ast.keyword | ast.Dict | ast.FormattedValue) or (
        isinstance(parent, ast.Call) and field == "args"
    )


def test_no_decision_depends_on_an_errors_code() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in sorted(SOURCE.rglob("*.py"))
        # The exit code is a part of the code, by what `TB-xxyy` means.
        if path != SOURCE / "errors.py" and (lines := decisions(path.read_text(encoding="utf-8")))
    }
    assert found == {}, "Catch a kind of `tradebot_ops.errors` instead."


@pytest.mark.parametrize(
    "line",
    [
        'if error.code == "TB-0501": pass',
        "if error.code != TAKEN: pass",
        'if error.code in {"TB-0405", "TB-0507"}: pass',
        'if error.code.startswith("TB-05"): pass',
        'code = error.code\nif code == "TB-0501": pass',
        'known = error.code[:5] == "TB-05"',
        "if error.code: pass",
        'match error.code:\n  case "TB-0501": pass',
        "hint = HINTS[error.code]",
    ],
)
def test_a_decision_by_code_is_found_however_it_is_written(line: str) -> None:
    assert decisions(line)


@pytest.mark.parametrize(
    "line",
    [
        "raise OpsError(said, code=away.code, hint=away.hint)",
        'document = {"code": error.code, "message": error.message}',
        'text = f"error {error.code}: {error.message}"',
        "found = Finding(Level.FAIL, error.code, error.message)",
        'raise OpsError(said, code=error.code if isinstance(error, Unreachable) else "TB-0550")',
        'raise OpsError("No.", code="TB-0501")',
    ],
)
def test_a_code_may_be_passed_on(line: str) -> None:
    assert decisions(line) == []
