"""Messages are sentences in plain words, whoever wrote them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

#: Calls whose message is not the first argument.
PLACES = {"Finding": 2}
#: Judges' answers; each takes its message first. Errors are found by their base class.
ANSWERS = {"passed", "warned", "failed", "skipped", "NotApplicable"} | PLACES.keys()
#: Files and programs that are written small wherever they stand.
NAMES = (
    "pip ",
    "pg_dump ",
    "debootstrap ",
    "prometheus.yml ",
    "vm.overcommit_memory ",
    "net.core.somaxconn ",
    "pg_hba.conf ",
)
PACKAGES = ("tradebot_ops", "services")
#: How nobody speaks of programs, in docstrings, comments and messages alike.
WORDS = re.compile(
    r"could not be had|had of\b|no more is known|is had\b|can be had\b|\bof before\b|\bsomebody\b|\bshall\b"
    r"|(?<!-)\b_?(told|said|telling|tells)\b|(?<!\.)\b_?tell\b",  # a stream has ``tell``, a record of ours an old name
    re.IGNORECASE,
)


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    """Every module of the product, parsed; only where a test asks for it."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _errors() -> set[str]:
    """OpsError and all kinds of it, in whatever module."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"OpsError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def _ends(node: ast.expr) -> tuple[str, str] | None:
    """First and last words of a literal, a placeholder at an end being ``{…}``; None for what is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, node.value
    if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.Constant) for part in node.values):
        first, last = (
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else ast.literal_eval(part)
            for part in (node.values[0], node.values[-1])
        )
        return first, last
    return None


def fault(first: str, last: str) -> str:
    """What keeps a message from being a sentence; empty when nothing does. A sentence may end with another message."""
    if first[:1].islower() and not first.startswith(NAMES):
        return "begins small"
    if last.endswith((".", "?", ".message}")) or last.startswith("{ended("):
        return ""
    return "does not end with a full stop"


def _messages() -> Iterator[tuple[str, str, str]]:
    calls = _errors() | ANSWERS
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _name(node.func) not in calls:
                continue
            if _name(node.func) in ANSWERS and isinstance(node.func, ast.Attribute):  # a method of that name
                continue
            place = PLACES.get(_name(node.func), 0)
            named = [each.value for each in node.keywords if each.arg == "message"]
            for argument in named or node.args[place : place + 1]:
                if ends := _ends(argument):
                    yield f"{path.relative_to(ROOT)}:{argument.lineno}", *ends


def test_messages_are_sentences() -> None:
    messages = list(_messages())
    assert len(messages) > 300, "the test looks at all of them"
    assert [
        f"{where}: {why}: {first!r} … {last!r}" for where, first, last in messages if (why := fault(first, last))
    ] == []


def test_words_that_a_stranger_would_stumble_over() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, _ in trees()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WORDS.search(line)
    ] == []


def vague(tree: ast.Module) -> list[int]:
    """Lines of docstrings that open with "What": they leave open what the thing is, or what the function does."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, documented) and (ast.get_docstring(node) or "").startswith("What ")
    ]


def test_docstrings_name_the_thing_or_the_act() -> None:
    assert [f"{path.relative_to(ROOT)}:{line}" for path, tree in trees() for line in vague(tree)] == []


def test_a_vague_docstring_is_seen() -> None:
    assert vague(ast.parse('"""What runs."""\n\ndef f():\n    """What it does."""\n')) == [1, 4]


@pytest.mark.parametrize("line", ["# a worker that is told", "def _tell(self):", "if said := ask():", "tell = warned"])
def test_a_homely_word_is_seen(line: str) -> None:
    assert WORDS.search(line)
    assert not WORDS.search("stream.tell(); foretell")


@pytest.mark.parametrize(
    ("first", "last"), [("the API", "stopped."), ("The API", "stopped"), ("The API", "{error}"), ("", "")]
)
def test_a_fault_is_seen(first: str, last: str) -> None:
    assert fault(first, last)
