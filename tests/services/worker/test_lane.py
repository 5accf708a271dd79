"""What a lane is made of, and whom each of its moves reaches."""

from typing import Any
from unittest.mock import Mock, call

import pytest

from services.common.transport import LONG_QUEUE, QUEUE
from services.worker import lane as module
from services.worker.consumer import SlotBroker
from services.worker.heartbeat import JOB
from services.worker.lane import LONG_IDLE_MS, SHORT_IDLE_MS, Lane, Shared, lanes

PARTS = ("Liveness", "WarmProcess", "Attempts", "make_broker", "Consumer")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Mock:
    made = Mock()
    for name in PARTS:
        monkeypatch.setattr(module, name, getattr(made, name))
    return made


@pytest.fixture
def shared() -> Shared:
    settings = Mock(worker_name="worker-1", job_memory_limit=1000)
    return Shared(settings, Mock(), Mock(), Mock(), Mock(), Mock(), Mock())


def test_a_lane_has_parts_of_its_own_and_those_of_the_worker(parts: Mock, shared: Shared) -> None:
    lane = Lane("queue", shared, idle_ms=70, warm=False)
    process, attempts, liveness = (
        getattr(parts, name).return_value for name in ("WarmProcess", "Attempts", "Liveness")
    )
    assert lane.queue == "queue"
    assert parts.WarmProcess.call_args == call(keep=False)
    words, more = parts.Attempts.call_args
    assert words == (
        "queue", shared.ledger, shared.transport, shared.lease_renewer, process, shared.metrics,
    )  # fmt: skip
    assert {**more, "alive": None} == {
        "worker": "worker-1", "memory_limit": 1000, "make_room": shared.make_room, "alive": None,
    }  # fmt: skip
    more["alive"]()
    assert liveness.mock_calls == [call.tick(JOB)], "a job that runs is shown where it is looked for"
    assert parts.make_broker.call_args == call(shared.settings, client=shared.redis, kind=SlotBroker, queues=("queue",))
    assert parts.Consumer.call_args == call(
        "queue", parts.make_broker.return_value, attempts.run, attempts.give_back, liveness, idle_ms=70
    )


@pytest.mark.parametrize(
    ("move", "reaches"),
    [
        (lambda lane: lane.prepare(within=2.0), call.WarmProcess().prepare(2.0)),
        (lambda lane: lane.start(), call.Consumer().start()),
        (lambda lane: lane.pause(paused=True), call.Consumer().pause(paused=True)),
        (lambda lane: lane.pause(paused=False), call.Consumer().pause(paused=False)),
        (lambda lane: lane.drain(), call.Consumer().drain()),
        (lambda lane: lane.wait_idle(3.0), call.Consumer().wait_idle(3.0)),
        (lambda lane: lane.end_attempts(), call.Attempts().close()),
        (lambda lane: lane.stop(), call.Consumer().stop()),
        (lambda lane: lane.close(), call.WarmProcess().close()),
        (lambda lane: lane.stalled(), call.Liveness().stalled()),
    ],
)
def test_each_move_reaches_the_part_that_makes_it(parts: Mock, shared: Shared, move: Any, reaches: Any) -> None:
    lane = Lane("queue", shared, idle_ms=70, warm=True)
    parts.reset_mock()
    answer = move(lane)
    assert parts.mock_calls == [reaches]
    part, _, name = reaches[0].partition("().")
    assert answer in (None, getattr(getattr(parts, part).return_value, name).return_value)


def test_what_a_lane_shows_is_what_its_parts_know(parts: Mock, shared: Shared) -> None:
    lane = Lane("queue", shared, idle_ms=70, warm=True)
    parts.Consumer.return_value.dead.return_value = ["runner 1"]
    assert lane.dead() == ["queue: runner 1"]
    assert lane.running is parts.Attempts.return_value.running
    assert lane.child is parts.WarmProcess.return_value.pid
    assert lane.stalled() is parts.Liveness.return_value.stalled.return_value
    assert lane.wait_idle(0.0) is parts.Consumer.return_value.wait_idle.return_value


def test_short_jobs_come_first_and_have_a_warm_process(parts: Mock, shared: Shared) -> None:
    assert [lane.queue for lane in lanes(shared)] == [QUEUE, LONG_QUEUE]
    assert parts.WarmProcess.call_args_list == [call(keep=True), call(keep=False)]
    assert [each.kwargs["idle_ms"] for each in parts.Consumer.call_args_list] == [SHORT_IDLE_MS, LONG_IDLE_MS]
    assert SHORT_IDLE_MS < LONG_IDLE_MS
