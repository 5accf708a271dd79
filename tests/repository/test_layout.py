"""Whoever changes a module finds its tests: at the mirrored path, or where ``tests/elsewhere.txt`` says.

A line of that file is a test, a colon, and the modules it covers although it is named for something else. A test
covers a module if it reaches it: through its imports, those of the parts of the tests it uses, and those of the code
they import; modules that are found by their package, or run by their name, count as imported.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.paths import ROOT

ROOMS = ("tradebot_ops", "services")
TABLE = ROOT / "tests" / "elsewhere.txt"
#: More modules than these in one folder are no room any more: find what they have in common, and part them.
MOST_IN_ONE_FOLDER = 15


@cache
def modules() -> dict[str, Path]:
    """Every module and package, by its dotted name; those of the tests, too."""
    paths = sorted(path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py"))
    paths = [path for path in paths if (path.parent / "__init__.py").exists()]  # migrations are no modules
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def has_code(path: Path) -> bool:
    """Whether there is more than a docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def mirrored(name: str) -> Path:
    """Where the tests of a module belong. Those of a package stand beside its folder's, named for it."""
    words = name.removeprefix("tradebot_ops.").split(".")
    return ROOT.joinpath("tests", *words[:-1], f"test_{words[-1].strip('_')}.py")


def without_test() -> list[str]:
    ours = {name: path for name, path in modules().items() if name.startswith(ROOMS) and has_code(path)}
    return [name for name in ours if not mirrored(name).exists()]


def elsewhere() -> dict[str, list[str]]:
    """Module → the tests that the table names for it."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            test, _, names = line.partition(":")
            for name in names.split():
                found.setdefault(name, []).append(test)
    return found


@cache
def reached(name: str) -> frozenset[str]:
    """Every module that a test module reaches."""
    seen: set[str] = set()
    waiting = [name, *_conftests(name)]
    while waiting:
        if (current := waiting.pop()) not in seen:
            seen.add(current)
            waiting.extend(_named(current) - seen)
    return frozenset(seen)


def _conftests(name: str) -> Iterator[str]:
    parents = [name.rsplit(".", count)[0] for count in range(1, name.count(".") + 1)]
    yield from (f"{parent}.conftest" for parent in parents if f"{parent}.conftest" in modules())


@cache
def _named(name: str) -> frozenset[str]:
    """The modules that one names: in an import, or in a text that is a module's name and nothing else."""
    words, found = set(), set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            words |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            words |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    if any(each.endswith(".discovery") for each in found):
        words.add(name)  # a package that offers what its own files hold
    found.update(part for word in words & modules().keys() for part in _with_parts(word))
    return frozenset(found & modules().keys())


def _with_parts(name: str) -> Iterator[str]:
    """A package stands for all that is found in it; one that can be run, for that alone."""
    yield name
    if modules()[name].name == "__init__.py":
        parts = [each for each in modules() if each.startswith(f"{name}.")]
        yield from [f"{name}.__main__"] if f"{name}.__main__" in parts else parts


def test_every_module_has_its_test_or_is_covered_elsewhere() -> None:
    """Write the test, at the path shown; or name in tests/elsewhere.txt the one that covers the module."""
    missing = [name for name in without_test() if name not in elsewhere()]
    assert {name: str(mirrored(name).relative_to(ROOT)) for name in missing} == {}


def test_the_table_names_no_module_in_vain() -> None:
    """One that is gone, or has a test of its own by now: take it out of tests/elsewhere.txt."""
    assert sorted(elsewhere().keys() - set(without_test())) == []


def test_the_tests_that_the_table_names_reach_their_modules() -> None:
    wrong = []
    for module, tests in elsewhere().items():
        for test in tests:
            name = "tests." + test.removesuffix(".py").replace("/", ".")
            if name not in modules() or module not in reached(name):
                wrong.append(f"{test}: {module}")
    assert wrong == []


def test_no_room_is_too_full() -> None:
    """A folder with more modules than a reader takes in at once is parted by what its modules are about."""
    held = Counter(path.parent for path in modules().values() if not path.name.startswith("__"))
    full = {str(folder.relative_to(ROOT)): count for folder, count in held.items() if count > MOST_IN_ONE_FOLDER}
    assert full == {}
