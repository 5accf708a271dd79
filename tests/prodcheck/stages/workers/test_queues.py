"""Every level of the checks on the queue, and what the ledger is asked for."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, Unknown
from tradebot_ops.facts.work import queue
from tradebot_ops.facts.work.halt import Halt
from tradebot_ops.facts.work.queue import DeadLetters, Queue
from tradebot_ops.facts.work.workers import Beat, Worker
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.workers.queues import few_dead, progressing, rising, short

CREW = (Worker("worker-1", 1, ("worker-1",)),) * 3
GROWING = tuple(float(each) for each in range(5, 21))
FLAT = (20.0,) * 16


@pytest.mark.parametrize(
    ("waiting", "course", "level"),
    [
        (0, (), Level.PASS),
        (70, FLAT, Level.PASS),
        (71, FLAT, Level.WARN),
        (100, FLAT, Level.FAIL),
        (20, GROWING, Level.WARN),
        # Worked off meanwhile.
        (0, GROWING, Level.PASS),
    ],
)
def test_short(waiting: int, course: tuple[float, ...], level: Level) -> None:
    verdict = short(Queue(waiting, waiting, 3.0, 1.0), course, CREW)
    assert verdict.level is level
    assert level is Level.PASS or verdict.hint == "tradebot scale workers 6"


def test_rising() -> None:
    assert rising(GROWING)
    # Falling, too short to tell, too few to matter, up and down again.
    for course in (GROWING[::-1], GROWING[:11], tuple(each / 10 for each in GROWING), (*GROWING[:9], 0.0, 0.0, 0.0)):
        assert not rising(course)


@pytest.mark.parametrize(
    ("letters", "level"),
    [
        (DeadLetters(0, 0, 0, None), Level.PASS),
        (DeadLetters(1, 0, 0, 90_000.0), Level.WARN),
        (DeadLetters(10, 10, 10, 60.0), Level.WARN),
        (DeadLetters(11, 11, 11, 60.0), Level.FAIL),
    ],
)
def test_few_dead(letters: DeadLetters, level: Level) -> None:
    assert few_dead(letters).level is level


@pytest.mark.parametrize(
    ("found", "beat", "level"),
    [
        (Queue(0, 0, None, None), Beat("w", "idle", 0.5), Level.PASS),
        (Queue(2, 2, 16.0, 16.0), Beat("w", "idle", 0.5), Level.FAIL),
        (Queue(2, 2, 16.0, None), Beat("w", "idle", 0.5), Level.FAIL),
        # Just submitted; taken just now; not due; busy with another; not heard, which WRK-01 says.
        (Queue(2, 2, 14.0, 60.0), Beat("w", "idle", 0.5), Level.PASS),
        (Queue(2, 2, 60.0, 1.0), Beat("w", "idle", 0.5), Level.PASS),
        (Queue(2, 0, None, 60.0), Beat("w", "idle", 0.5), Level.PASS),
        (Queue(2, 2, 60.0, 60.0), Beat("w", "busy", 0.5), Level.PASS),
        (Queue(2, 2, 60.0, 60.0), Beat("w", "idle", 9.0), Level.PASS),
    ],
)
def test_progressing(found: Queue, beat: Beat, level: Level) -> None:
    assert progressing(found, (beat,), None).level is level


def test_a_halted_stack_proves_nothing_of_its_workers() -> None:
    halt = Halt("ana@desk", "fills look wrong", 720.0)
    beat = Beat("w1", "idle", 0.5)
    verdict = progressing(Queue(0, 0, None, 900.0), (beat,), halt)
    assert (verdict.level, verdict.hint) == (Level.WARN, "tradebot resume")
    assert verdict.message == "ana@desk halted the stack 12 min ago, so that no job starts: fills look wrong."
    assert progressing(Queue(1, 1, 60.0, 900.0), (beat,), halt).level is Level.FAIL, "a canary waits"


def test_without_monitoring_there_is_no_course_and_with_it_one_value_a_minute() -> None:
    bare = SimpleNamespace(stack=SimpleNamespace(services={}))
    assert queue.course(cast("Ops", bare)) == ()
    series = [SimpleNamespace(points=((1.0, 3.0), (61.0, 4.0)))]
    prometheus = SimpleNamespace(query_range=lambda *_: series)
    full = SimpleNamespace(
        stack=SimpleNamespace(services={"prometheus": None}), prometheus=prometheus, clock=lambda: datetime.now(UTC)
    )
    assert queue.course(cast("Ops", full)) == (3.0, 4.0)


def test_without_postgres_nobody_could_look() -> None:
    def away(*_: object) -> list[dict[str, Any]]:
        raise Unreachable("Postgres does not run.", code="TB-0535")

    facts = Facts(cast("Ops", SimpleNamespace(postgres=SimpleNamespace(rows=away))))
    asked: tuple[Fact[Any], ...] = (queue.queue, queue.lost, queue.dead_letters)
    assert all(isinstance(facts.value(each), Unknown) for each in asked)
