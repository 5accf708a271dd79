"""The view that planning looks through: it shows what is there and cannot act."""

import inspect
from pathlib import Path

import pytest

from tests.engines.contract import tiny_stack
from tradebot_ops.engines.base import Engine, ImageFacts, LogQuery
from tradebot_ops.engines.readonly import ReadOnly
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Stack

LOOKING = {"list", "logs", "stats", "events", "endpoint"}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return tiny_stack("demo", tmp_path, 8000)


@pytest.fixture
def engine(stack: Stack) -> StubEngine:
    made = StubEngine("demo")
    made.prepare(stack, lambda _service, _line: None)
    made.apply(stack, "web", 1)
    made.say("web", 1, "hello")
    made.recording.clear()
    return made


def test_it_shows_what_the_engine_shows(engine: StubEngine) -> None:
    view = ReadOnly(engine)
    assert (view.name, view.list()) == ("stub", engine.list())
    assert [line.text for line in view.logs(LogQuery())] == ["hello"]
    assert [event.action for event in view.events()] == ["start"]
    assert view.stats(view.list()) == engine.stats(engine.list())
    assert view.endpoint("web", 8000) == engine.endpoint("web", 8000)


def test_every_verb_that_is_not_looking_raises(engine: StubEngine, stack: Stack) -> None:
    view = ReadOnly(engine)
    web = engine.list()[0]
    given = {
        "prepare": (stack, lambda _service, _line: None),
        "apply": (stack, "web", 1),
        "stop": (web, 1.0),
        "signal": (web, "SIGHUP"),
        "remove": (web,),
        "exec": (web, ("true",)),
    }
    verbs = {name for name, _ in inspect.getmembers(Engine, inspect.isfunction) if not name.startswith("_")}
    assert verbs - LOOKING == {*given, "destroy"}, "a new verb must be put on one of the two sides"
    for verb, arguments in given.items():
        with pytest.raises(OpsError) as caught:
            getattr(view, verb)(*arguments)
        assert caught.value.code == "TB-0903"
    with pytest.raises(OpsError):
        view.destroy(stack, volumes=True)
    assert engine.recording == []


def test_nothing_else_is_passed_on(engine: StubEngine) -> None:
    for name in ("attached", "discard", "leftovers", "images", "crash"):
        assert not hasattr(ReadOnly(engine), name)


def test_images_are_looked_at_where_there_are_any(engine: StubEngine, stack: Stack) -> None:
    engine.facts = ImageFacts(rebuilt=frozenset({"web"}))
    assert ReadOnly(engine).image_facts(stack) == engine.facts
