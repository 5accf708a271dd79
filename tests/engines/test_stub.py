"""What the stub offers beyond the contract: recording, read-only, and making things happen."""

from pathlib import Path

import pytest

from tests.engines.contract import tiny_stack
from tradebot_ops.engines.base import ExecResult, LogQuery, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError

STACK = tiny_stack("demo", Path("/nowhere"), 8080)


def _prepared(engine: StubEngine) -> StubEngine:
    engine.prepare(STACK, lambda _service, _line: None)
    return engine


def test_writes_are_recorded_and_reads_are_not() -> None:
    engine = _prepared(StubEngine())
    started = engine.apply(STACK, "web", 1)
    engine.list()
    engine.stats([started])
    engine.stop(started, 1)
    assert engine.recording == [("prepare", "demo"), ("apply", "web-1"), ("stop", "web-1")]


@pytest.mark.parametrize("verb", ["prepare", "apply", "stop", "signal", "remove", "destroy"])
def test_a_read_only_stub_refuses_every_write(verb: str) -> None:
    started = _prepared(StubEngine()).apply(STACK, "web", 1)
    engine = StubEngine(read_only=True)
    writes = {
        "prepare": lambda: engine.prepare(STACK, lambda _service, _line: None),
        "apply": lambda: engine.apply(STACK, "web", 1),
        "stop": lambda: engine.stop(started, 1),
        "signal": lambda: engine.signal(started, "SIGHUP"),
        "remove": lambda: engine.remove(started),
        "destroy": lambda: engine.destroy(STACK, volumes=False),
    }
    with pytest.raises(OpsError, match="read-only"):
        writes[verb]()
    assert engine.recording == []


def test_nothing_starts_on_unprepared_ground() -> None:
    with pytest.raises(OpsError, match="prepared"):
        StubEngine().apply(STACK, "web", 1)


def test_a_crash_is_counted_and_can_be_final() -> None:
    engine = _prepared(StubEngine())
    engine.apply(STACK, "web", 1)
    back = engine.crash("web", 1, 9)
    assert (back.state, back.restarts, back.exit_code) == (State.RUNNING, 1, 9)
    failed = engine.crash("web", 1, for_good=True)
    assert (failed.state, failed.pid) == (State.FAILED, None)
    assert [event.action for event in engine.events()] == ["start", "die", "start", "die"]


def test_logs_say_what_they_were_told() -> None:
    engine = _prepared(StubEngine())
    for number in (1, 2):
        engine.apply(STACK, "web", number)
        for text in ("one", "two"):
            engine.say("web", number, text)
    assert [(line.number, line.text) for line in engine.logs(LogQuery(tail=1))] == [(1, "two"), (2, "two")]
    assert [line.text for line in engine.logs(LogQuery(number=2))] == ["one", "two"]


def test_exec_answers_as_it_was_told() -> None:
    engine = _prepared(StubEngine(answers={("psql", "-c", "select 1"): ExecResult(0, "1")}))
    started = engine.apply(STACK, "web", 1)
    assert engine.exec(started, ["psql", "-c", "select 1"]).output == "1"


def test_followed_lines_come_after_those_already_there() -> None:
    engine = _prepared(StubEngine())
    engine.apply(STACK, "web", 1)
    engine.say("web", 1, "before")
    lines = engine.logs(LogQuery(follow=True))
    assert next(lines).text == "before"
    engine.say("web", 1, "after")
    assert next(lines).text == "after"
