"""A configuration counts as in force only when the service says so itself."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Refused, Unreachable
from tradebot_ops.facts.metrics import promtool
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.reload import (
    PAUSE_SECONDS,
    Answer,
    _refused,
    _too_late,
    answers_of,
    check_files,
    put_into_force,
)
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Action, plan
from tradebot_ops.stack.source import Source

COMPOSE = """
services:
  prometheus: {image: "p:1", volumes: ["./rules:/rules:ro"], x-tradebot: {reload: SIGHUP}}
"""
SECOND = timedelta(seconds=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    config_loaded: bool
    config_loaded_at: datetime = LONG_AGO


def now() -> Said:
    """What a service says that has just read it."""
    return Said(config_loaded=True, config_loaded_at=datetime.now(UTC) + timedelta(seconds=1))


class Pausing(EngineView):
    """Keeps its pauses instead of making them."""

    def __init__(self, engine: StubEngine, patience: float, clock: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__(engine, patience, clock)
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class World:
    """A stack that runs, one rule of which was edited since."""

    def __init__(self, folder: Path) -> None:
        (folder / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
        (folder / "rules").mkdir()
        self._folder = folder
        self.engine = StubEngine("demo")
        self.edit("before")
        stack = self.stack()
        self.engine.prepare(stack, lambda service, line: None)
        self.engine.apply(stack, "prometheus", 1)
        self.edit("after")
        assert self.planned() is Action.RELOAD

    def edit(self, text: str) -> None:
        (self._folder / "rules" / "all.yml").write_text(text, encoding="utf-8")

    def stack(self) -> Stack:
        source = Source((self._folder / "compose.yaml",), self._folder, "a test")
        return load(source, {}, project="demo", cache=self._folder / "cache")

    def planned(self) -> Action:
        [step] = plan(self.stack(), self.engine.list()).steps
        return step.action

    def reload(self, *answers: Answer | OpsError) -> int:
        """Each answer once, the last for ever, 8 s between two looks at the clock; returns how many were asked for."""
        asked = itertools.count()

        def ask() -> Answer:
            answer = answers[min(next(asked), len(answers) - 1)]
            if isinstance(answer, OpsError):
                raise answer
            return answer

        clock: Callable[[], float] = itertools.count(0.0, 8.0).__next__
        [found] = self.engine.list()
        try:
            put_into_force(Pausing(self.engine, 30, clock), self.stack(), found, {"prometheus": ask})
        finally:
            self.asked = next(asked)
        return self.asked


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


GOOD, REFUSED, AWAY = Said(config_loaded=True), Said(config_loaded=False), Unreachable("Prometheus does not answer.")


@pytest.mark.parametrize("before", [GOOD, REFUSED, AWAY])
def test_it_is_waited_for_until_the_service_says_so(world: World, before: Answer | OpsError) -> None:
    assert world.reload(before, before if before is not REFUSED else AWAY, now()) == 3
    assert world.engine.recording[-1] == ("signal", f"{world.engine.list()[0].id} SIGHUP")
    assert world.planned() is Action.NOTHING


def test_a_refusal_is_said_at_once_and_the_next_plan_reloads_again(world: World) -> None:
    with pytest.raises(Refused, match="Prometheus refused its new configuration; what it had before is in force"):
        world.reload(GOOD, REFUSED)
    assert world.asked == 2
    assert world.planned() is Action.RELOAD
    world.edit("before")  # what it runs with; the service still says that its last attempt failed
    assert world.planned() is Action.RELOAD


def test_after_a_refusal_another_one_is_told_from_no_answer_yet(world: World) -> None:
    world.reload(REFUSED, REFUSED, now())
    world.edit("again")
    with pytest.raises(Refused):
        world.reload(REFUSED)
    assert world.asked > 2


@pytest.mark.parametrize(("answer", "detail"), [(GOOD, ()), (AWAY, ("Prometheus does not answer.",))])
def test_silence_is_no_proof(world: World, answer: Answer | OpsError, detail: tuple[str, ...]) -> None:
    with pytest.raises(OpsError, match="did not take over the configuration within 20 s") as caught:
        world.reload(answer)
    assert (caught.value.code, caught.value.detail) == ("TB-0605", detail)
    # Once before, and then after 8, 16 and 24 s: the first look that is late ends it.
    assert world.asked == 4
    assert world.planned() is Action.RELOAD


def test_an_interrupted_proof_is_none(world: World) -> None:
    def interrupted() -> Answer:
        if world.engine.list()[0].content_hash == world.stack().services["prometheus"].content_hash:
            raise KeyboardInterrupt
        return GOOD

    [found] = world.engine.list()
    with pytest.raises(KeyboardInterrupt):
        put_into_force(EngineView(world.engine, 30), world.stack(), found, {"prometheus": interrupted})
    assert world.planned() is Action.RELOAD


def test_what_was_made_anew_has_read_its_files_already(world: World) -> None:
    """And the signal might find it before it knows what that means."""
    [found] = world.engine.list()
    apply = world.engine.apply

    def anew(stack: Stack, service: str, number: int) -> Replica:
        return replace(apply(stack, service, number), pid=4711)

    world.engine.apply = anew  # type: ignore[method-assign]
    after = put_into_force(EngineView(world.engine, 30), world.stack(), found, {"prometheus": now})
    assert after.pid == 4711
    assert not [verb for verb, _ in world.engine.recording if verb == "signal"]


def test_what_cannot_say_how_it_stands_is_signalled(world: World) -> None:
    [found] = world.engine.list()
    put_into_force(EngineView(world.engine, 30), world.stack(), found, {})
    assert world.engine.recording[-1] == ("signal", f"{found.id} SIGHUP")
    assert world.planned() is Action.NOTHING


def test_the_second_of_the_signal_is_proof_enough(world: World) -> None:
    """Prometheus gives no fraction of it; what was read before that second is no proof."""

    def read(shift: int) -> Said:
        return Said(config_loaded=True, config_loaded_at=datetime.now(UTC).replace(microsecond=0) + shift * SECOND)

    class Moment(Answer):
        config_loaded = True

        @property
        def config_loaded_at(self) -> datetime:
            return datetime.now(UTC).replace(microsecond=0)

    assert world.reload(GOOD, Moment()) == 2
    world.edit("again")
    with pytest.raises(OpsError, match="did not take over"):
        world.reload(GOOD, read(-60))


def test_it_is_asked_again_after_a_pause(world: World) -> None:
    view = Pausing(world.engine, 30)
    answers = iter([GOOD, GOOD, GOOD, now()])
    [found] = world.engine.list()
    put_into_force(view, world.stack(), found, {"prometheus": lambda: next(answers)})
    assert view.pauses == [PAUSE_SECONDS] * 2


def test_a_file_with_an_error_is_said_and_one_that_is_right_is_not(tmp_path: Path, monkeypatch: Any) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    checked: list[Ops] = []
    monkeypatch.setattr(promtool, "check", checked.append)
    assert check_files(ops) is True
    assert (checked, ops.warnings) == ([ops], [])

    def wrong(ops: Ops) -> None:
        raise OpsError("rules.yml, line 3: no such function.", code="TB-0860")

    monkeypatch.setattr(promtool, "check", wrong)
    with pytest.raises(OpsError, match="line 3"):
        check_files(ops)


def test_files_that_nothing_can_check_are_a_warning(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "PATH": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    assert check_files(ops) is False
    [warning] = ops.warnings
    assert warning.startswith("The configuration was not checked before it was read: promtool is not on this host")


def test_those_that_can_say_it_are_asked_themselves() -> None:
    """And neither is connected to before."""
    ops: Any = SimpleNamespace()
    answers = answers_of(ops)
    assert set(answers) == {"prometheus", "alertmanager"}
    for name, ask in answers.items():
        setattr(ops, name, SimpleNamespace(status=lambda name=name: f"{name} answers"))
        assert ask() == f"{name} answers"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("why", ["", "It does not answer."])
def test_sentences(why: str) -> None:
    look = "tradebot logs prometheus --tail 50"
    assert refusal(_refused("prometheus")) == (
        "TB-0860", "Prometheus refused its new configuration; what it had before is in force.", look,
    )  # fmt: skip
    late = _too_late("prometheus", why)
    said = "Prometheus did not take over the configuration within 20 s; what it had before is in force."
    assert (refusal(late), late.detail) == (("TB-0605", said, look), (why,) if why else ())
