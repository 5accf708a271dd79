"""Names are remembered for whoever means the same stack, and looked up behind the key press."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tradebot_ops.cli.completion.cache import Cache, Known, here


@pytest.fixture(autouse=True)
def cached_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_was_found_is_known_and_private(tmp_path: Path) -> None:
    cache = Cache((), tmp_path)
    assert cache.known() == Known({}, 0.0)
    cache.store({"job": [("1234", "canary, dead")]})
    assert cache.known().names["job"] == [["1234", "canary, dead"]]  # type: ignore[comparison-overlap]  # as JSON has it
    assert cache.known().fresh()
    assert cache.path.stat().st_mode & 0o777 == 0o600
    assert cache.path.parent.stat().st_mode & 0o777 == 0o700


def test_another_stack_has_names_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {Cache((), tmp_path).path, Cache(("-p", "other"), tmp_path).path, Cache((), tmp_path / "below").path}
    monkeypatch.setenv("TRADEBOT_PROJECT", "third")
    paths.add(Cache((), tmp_path).path)
    assert len(paths) == 4


def test_what_is_no_answer_is_none(tmp_path: Path) -> None:
    cache = Cache((), tmp_path)
    cache.path.parent.mkdir(parents=True)
    for text in ("", "{", "[]", "{}", '{"names": {}, "at": 1, "more": 2}'):
        cache.path.write_text(text)
        assert not cache.known().fresh()
        assert cache.known().names == {}


@pytest.mark.parametrize(("seconds", "fresh"), [(0.0, True), (1.9, True), (2.1, False), (-60.0, False)])
def test_names_are_fresh_for_two_seconds(seconds: float, fresh: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert Known({}, 1000.0 - seconds).fresh() == fresh


def test_pressing_it_often_starts_one_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **options: started.append((words, options)))
    for _ in range(5):
        Cache(("-p", "demo"), tmp_path).refresh()
    (((command,), options),) = started
    assert command[1:] == ["-m", "tradebot_ops", "-p", "demo", "completion", "refresh"]
    assert options["start_new_session"]
    asked = Cache(("-p", "demo"), tmp_path).path.with_suffix(".asked")
    os.utime(asked, (time.time() - 10, time.time() - 10))
    Cache(("-p", "demo"), tmp_path).refresh()
    assert len(started) == 2


def test_where_nothing_can_be_remembered_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file where a folder belongs")
    monkeypatch.setattr(subprocess, "Popen", lambda *_words, **_options: pytest.fail("it looked"))
    Cache((), tmp_path).refresh()


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    old = Cache(("-p", "old"), tmp_path)
    old.store({})
    os.utime(old.path, (0, 0))
    Cache((), tmp_path).store({})
    assert not old.path.exists()


def test_a_look_finds_what_can_be_found_and_keeps_the_rest(run: Run) -> None:
    cache = here(["-p", "demo"])
    cache.store({"job": [("1234", "")], "service": [("gone", "")]})
    shown = run("completion", "refresh")
    assert shown.exit_code == 0
    assert "The API does not run." in shown.stdout
    names = json.loads(cache.path.read_text())["names"]
    assert [name for name, _ in names["service"]] == ["store", "setup", "worker"]
    assert names["job"] == [["1234", ""]]  # the API of this stack cannot be asked
    assert "API-01" in [name for name, _ in names["check"]]
