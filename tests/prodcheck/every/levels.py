"""Levels a judge can return, read from its code, and those its tests saw: a plugin of pytest that writes them down."""

import ast
import builtins
import inspect
import json
import os
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from tradebot_ops.model import Level
from tradebot_ops.prodcheck import check as declaring
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.check import Check, Verdict

#: Where the plugin writes what it saw: ``{"WRK-01": ["fail", "pass"]}``.
SEEN_FILE = "TRADEBOT_TEST_LEVELS"
_SAYS: dict[Any, Level] = {
    declaring.passed: Level.PASS,
    declaring.warned: Level.WARN,
    declaring.failed: Level.FAIL,
    declaring.skipped: Level.SKIP,
    declaring.unseen: Level.ERROR,
}
_OURS = "tradebot_ops.prodcheck.stages."


def possible(check: Check) -> frozenset[Level]:
    """Levels of every verdict that the judge, or a function of a stage that it uses, makes."""
    found: set[Level] = set()
    seen: set[FunctionType] = set()
    waiting: list[Any] = [check.judge]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Verdict):  # one that several checks share
            found.add(value.level)
        if isinstance(value, Level):
            found.add(value)
        if not isinstance(value, FunctionType) or value in seen:
            continue
        seen.add(value)
        if level := _SAYS.get(value):
            found.add(level)
        elif value.__module__.startswith(_OURS):
            waiting.extend(_used(value))
    return frozenset(found)


@cache
def _used(function: FunctionType) -> tuple[Any, ...]:
    """Values of the names, and of the attributes such as ``Level.FAIL``, that the function reads."""
    scope = vars(builtins) | function.__globals__
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tuple(_values(tree, scope))


def _values(tree: ast.FunctionDef, scope: dict[str, Any]) -> Iterator[Any]:
    for statement in tree.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                yield scope.get(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield getattr(scope.get(node.value.id), node.attr, None)


class _Recorder:
    """Writes down which level each registered check returned in tests that passed."""

    def __init__(self) -> None:
        self._ids = {check.judge: check.id for stage in catalogue() for check in stage.checks}
        self._seen: dict[str, set[str]] = defaultdict(set)
        self._now: set[tuple[str, str]] = set()
        self._judge = Check.__call__

    def pytest_sessionstart(self) -> None:
        Check.__call__ = self._listening()  # type: ignore[method-assign]

    def _listening(self) -> Callable[..., Verdict]:
        def judged(check: Check, *values: Any) -> Verdict:
            verdict = self._judge(check, *values)
            if id_ := self._ids.get(check.judge):
                self._now.add((id_, str(verdict.level)))
            return verdict

        return judged

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        for id_, level in self._now if report.passed else ():
            self._seen[id_].add(level)
        self._now.clear()

    def pytest_sessionfinish(self) -> None:
        Check.__call__ = self._judge  # type: ignore[method-assign]
        seen = {id_: sorted(levels) for id_, levels in self._seen.items()}
        Path(os.environ[SEEN_FILE]).write_text(json.dumps(seen), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Recorder(), "levels")
