"""Run commands in this process against the engine in memory, and see all that a user sees."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Condition
from typing import Any

import pytest
from typer.main import get_command

from tradebot_ops.cli import in_force
from tradebot_ops.cli.main import app
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.engines.stub import StubEngine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

COMPOSE = """
services:
  store:
    image: store:1
    command: [store]
    ports: ["127.0.0.1:5000:5000"]
  setup:
    image: setup:1
    command: [setup]
    restart: "no"
    depends_on: {store: {condition: service_healthy}}
    x-tradebot: {one_shot: true}
  worker:
    image: worker:1
    command: [work]
    restart: always
    depends_on: {setup: {condition: service_completed_successfully}}
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
"""


@dataclass(frozen=True)
class Shown:
    """Everything a command left: exit code, stdout and stderr, together."""

    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit {self.exit_code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


Run = Callable[..., Shown]


class Watched(StubEngine):
    """While a command runs, whatever changes something must be asked for within `operations.change`."""

    running: Ops | None = None

    def _writing(self, verb: str, subject: str) -> Condition:
        assert self.running is None or self.running.changes, f"{verb} {subject} outside of the write boundary"
        return super()._writing(verb, subject)


@pytest.fixture(autouse=True)
def no_options_in_force() -> None:
    """Calls of other tests in this process leave theirs."""
    in_force.keep([])


@pytest.fixture
def engine() -> Watched:
    answers = {("echo", "hello"): ExecResult(0, "hello\n"), ("fail",): ExecResult(3, "no luck\n")}
    return Watched("demo", answers=answers, clock=lambda: NOON - timedelta(minutes=5))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], engine: Watched) -> Run:
    """``run("status", "--json", columns=80)``."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADEBOT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TRADEBOT_PROJECT", "TRADEBOT_ENGINE"):
        monkeypatch.delenv(name, raising=False)

    begin = Ops.__init__

    def begun(self: Ops, *words: Any, **options: Any) -> None:
        begin(self, *words, **options)
        engine.running = self

    monkeypatch.setattr(Ops, "__init__", begun)

    def call(*words: str, columns: int = 100, quiet: bool = True) -> Shown:
        monkeypatch.setenv("COLUMNS", str(columns))
        capsys.readouterr()
        world = {"engine": engine, "clock": lambda: NOON}
        code = get_command(app).main(
            ["-p", "demo", *(["-q"] if quiet else []), *words], standalone_mode=False, obj=world
        )
        engine.running = None
        shown = capsys.readouterr()
        return Shown(code, *(text.replace(str(tmp_path), "<here>") for text in shown))

    return call
