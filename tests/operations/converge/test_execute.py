"""Carrying out a plan: order, what a failure stops, and when patience begins."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.progress import Phase, ProgressEvent
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Action, Step, plan
from tradebot_ops.stack.source import Source

COMPOSE = """
services:
  bad: {image: "bad:1", command: [bad], restart: "no"}
  slow: {image: "slow:1", command: [slow]}
  after: {image: "after:1", command: [after], depends_on: {slow: {condition: service_healthy}}}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE, encoding="utf-8")
    return load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")


class Slow(StubEngine):
    """``bad`` fails at once; ``slow`` starts only after that, with ``on_start``, and never gets ready."""

    def __init__(self, *, fails: bool = True, on_start: Callable[[], None] = lambda: None) -> None:
        super().__init__("demo")
        self._fails, self._on_start = fails, on_start
        self._failed = threading.Event()

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        if service == "bad" and self._fails:
            self._failed.set()
            raise OpsError("The image is missing.", code="TB-0826")
        if service == "slow":
            assert not self._fails or self._failed.wait(10)
            self._on_start()
        started = super().apply(stack, service, number)
        return self._seen(started)

    def list(self) -> tuple[Replica, ...]:
        return tuple(self._seen(found) for found in super().list())

    def _seen(self, found: Replica) -> Replica:
        return replace(found, state=State.STARTING) if self._fails and found.service == "slow" else found


def carry_out(engine: StubEngine, stack: Stack, view: EngineView) -> list[ProgressEvent]:
    events: list[ProgressEvent] = []
    engine.prepare(stack, lambda service, line: None)
    try:
        converge(stack, plan(stack, engine.list()).steps, view, {}, events.append)
    finally:
        view.stop()
    return events


def test_a_failure_elsewhere_makes_nobody_ready_and_starts_no_dependant(stack: Stack) -> None:
    events: list[ProgressEvent] = []
    engine = Slow()
    engine.prepare(stack, lambda service, line: None)
    view = EngineView(engine, patience=30)
    with pytest.raises(OpsError, match="image is missing"):
        converge(stack, plan(stack, engine.list()).steps, view, {}, events.append)
    assert [each.service for each in events if each.phase is Phase.FAILED] == ["bad"]
    assert not [each for each in events if each.phase is Phase.READY]
    assert "after" not in {replica.service for replica in engine.list()}


def test_patience_begins_when_the_engine_has_started_it(stack: Stack) -> None:
    """Pulling an image may take longer than a service may take to answer."""
    now = [0.0]

    def take_an_hour() -> None:
        now[0] += 3600

    engine = Slow(fails=False, on_start=take_an_hour)
    events = carry_out(engine, stack, EngineView(engine, patience=5, clock=lambda: now[0]))
    assert {each.service for each in events if each.phase is Phase.READY} == {"bad", "slow", "after"}


def test_what_is_made_anew_is_left_to_the_engine(stack: Stack) -> None:
    """It stops the old one only when there is something to take its place: here the new one cannot be made."""
    engine = Slow(fails=False)
    carry_out(engine, stack, EngineView(engine, patience=5))
    engine._fails = True
    step = Step(Action.RECREATE, "bad", 1, "its description changed")
    with pytest.raises(OpsError, match="image is missing"):
        converge(stack, [step], EngineView(engine, patience=5), {}, lambda events: None)
    assert [one.state for one in engine.list() if one.service == "bad"] == [State.RUNNING]


PROFILED = """
services:
  core: {image: "core:1", command: [core]}
  bad: {image: "bad:1", command: [bad], profiles: [extra]}
  after: {image: "after:1", command: [after], profiles: [extra], depends_on: [core]}
"""


@pytest.mark.parametrize("needed", [False, True])
def test_a_failure_in_a_profile_ends_nobody_else_unless_the_core_needs_it(tmp_path: Path, needed: bool) -> None:
    path = tmp_path / "compose.yaml"
    text = PROFILED.replace("[core]}", "[core], depends_on: [bad]}", 1) if needed else PROFILED
    path.write_text(text, encoding="utf-8")
    source = Source((path,), tmp_path, "a test")
    stack = load(source, {}, project="demo", profiles=["extra"], cache=tmp_path / "cache")
    engine = Slow()
    events: list[ProgressEvent] = []
    engine.prepare(stack, lambda service, line: None)
    steps = plan(stack, engine.list()).steps
    if needed:
        with pytest.raises(OpsError, match="image is missing"):
            converge(stack, steps, EngineView(engine, patience=5), {}, events.append)
        return
    outcome = converge(stack, steps, EngineView(engine, patience=5), {}, events.append)
    assert {each.service: each.phase for each in events} == {
        "core": Phase.READY,
        "bad": Phase.FAILED,
        "after": Phase.READY,
    }
    assert list(outcome.failed) == ["bad"]
    with pytest.raises(OpsError, match="image is missing"):  # for who asked for this very service
        outcome.check()
