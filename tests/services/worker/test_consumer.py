"""The slot: one running job, one message in hand while the job is young, nothing once it is closed; and what becomes of
messages that Dramatiq hands over."""

import threading
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock
from uuid import UUID, uuid4

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import _RedisConsumer
from dramatiq.errors import ConnectionClosed
from structlog.testing import capture_logs

from services.common.transport import ACTOR, QUEUE
from services.worker.consumer import PATIENCE_S, STOP_MS, Consumer, Slot, SlotBroker
from services.worker.heartbeat import CONSUMER, JOB, MESSAGE, Liveness

LONG_S = 30.0


def in_thread(work: Callable[[], bool]) -> tuple[threading.Thread, list[bool]]:
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def test_one_message_in_hand_at_a_time() -> None:
    slot = Slot(LONG_S)
    assert slot.reserve(0.0)
    for _ in range(3):
        assert not slot.reserve(0.01)
    slot.drop()
    assert slot.reserve(0.0)


def test_one_message_is_fetched_ahead_of_a_young_job_and_runs_when_it_ends() -> None:
    slot = Slot(LONG_S)
    assert slot.reserve(0.0)
    assert slot.enter()
    assert slot.reserve(0.0)
    assert not slot.reserve(0.01)
    thread, answers = in_thread(slot.enter)
    thread.join(0.05)
    assert thread.is_alive()
    slot.leave()
    thread.join(5)
    assert answers == [True]
    assert not slot.wait_idle(0.0)


def test_no_message_waits_behind_a_long_job() -> None:
    slot = Slot(0.05)
    assert slot.reserve(0.0)
    assert slot.enter()
    assert slot.reserve(0.0)
    began = time.monotonic()
    assert not slot.enter()
    assert time.monotonic() - began < 5
    # The job is no longer young: nothing more is fetched until it ends.
    assert not slot.reserve(0.05)
    slot.leave()
    assert slot.reserve(0.0)


def test_a_closed_slot_gives_back_what_is_in_hand_and_fetches_nothing() -> None:
    slot = Slot(LONG_S)
    assert slot.reserve(0.0)
    assert slot.enter()
    assert slot.reserve(0.0)
    thread, answers = in_thread(slot.enter)
    slot.close()
    thread.join(5)
    assert answers == [False]
    assert not slot.reserve(0.01)
    assert not slot.wait_idle(0.0)
    slot.leave()
    assert slot.wait_idle(0.0)


@pytest.mark.parametrize("error", [redis.exceptions.NoPermissionError, redis.OutOfMemoryError, redis.TimeoutError])
def test_a_redis_that_refuses_or_hangs_is_waited_for(error: type[redis.RedisError]) -> None:
    """Dramatiq waits after this error; any other is an exception that nobody foresaw."""
    broker = SlotBroker(client=Mock(spec=redis.Redis, register_script=Mock(return_value=Mock(side_effect=error("no")))))
    broker.slot = Slot(LONG_S)
    for queue in (QUEUE, "another"):
        consumer = broker.consume(queue, timeout=1)
        with pytest.raises(ConnectionClosed):
            next(consumer)
        with pytest.raises(ConnectionClosed):
            consumer.ack(Mock(options={"redis_message_id": "1"}))


def test_a_paused_slot_fetches_and_begins_nothing_until_it_goes_on() -> None:
    slot = Slot(LONG_S)
    assert slot.reserve(0.0)
    slot.pause(paused=True)
    assert not slot.enter()  # the message in hand is given back
    assert not slot.reserve(0.0)
    slot.pause(paused=False)
    assert slot.reserve(0.0)
    assert slot.enter()


def test_a_closed_slot_does_not_go_on() -> None:
    slot = Slot(LONG_S)
    slot.pause(paused=True)
    slot.close()
    slot.pause(paused=False)
    assert not slot.reserve(0.0)


class Parts:
    """Which parts of the worker move, as they say it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def tick(self, part: str) -> None:
        self.said.append(("ticks", part))

    def rest(self, part: str) -> None:
        self.said.append(("rests", part))


def test_who_moves_and_who_rests_is_said_from_the_fetch_to_the_end_of_the_job() -> None:
    parts = Parts()
    slot = Slot(LONG_S, cast("Liveness", parts))
    slot.reserve(0.0)
    assert parts.said == [("ticks", CONSUMER), ("ticks", MESSAGE)]
    slot.enter()
    assert parts.said[2:] == [("ticks", JOB), ("rests", MESSAGE)]
    slot.leave()
    assert parts.said[4:] == [("rests", JOB)]
    slot.pause(paused=True)
    slot.reserve(0.0)
    assert parts.said[5:] == [("ticks", CONSUMER)]
    slot.enter()
    assert parts.said[6:] == [("rests", MESSAGE)]


class Condition:
    """Whoever waits is not kept waiting; ``waits`` is how long they would have."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.notified = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, timeout_s: float) -> None:
        self.waits.append(timeout_s)

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        return predicate()

    def notify_all(self) -> None:
        self.notified += 1


@pytest.fixture
def condition(monkeypatch: pytest.MonkeyPatch) -> Condition:
    made = Condition()
    monkeypatch.setattr(threading, "Condition", lambda: made)
    return made


def test_each_wait_has_its_time(condition: Condition) -> None:
    slot = Slot()
    slot.reserve(1.5)
    slot.enter()
    slot.wait_idle(2.5)
    slot.pause(paused=True)
    assert not slot.reserve(3.5), "the thread of the consumer must not spin while nothing is fetched"
    assert condition.waits == [1.5, PATIENCE_S, 2.5, 3.5]


@pytest.mark.parametrize(
    "change",
    [
        lambda slot: slot.drop(), lambda slot: slot.enter(), lambda slot: slot.leave(), lambda slot: slot.close(),
        lambda slot: slot.pause(paused=True), lambda slot: slot.pause(paused=False),
    ],
)  # fmt: skip
def test_each_change_wakes_those_that_wait(condition: Condition, change: Callable[[Slot], object]) -> None:
    change(Slot())
    assert condition.notified == 1


@pytest.mark.usefixtures("condition")
def test_a_job_is_young_for_as_long_as_a_message_would_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    slot = Slot(0.5)
    slot.reserve(0.0)
    slot.enter()
    for at, fetches in ((100.25, True), (100.5, False), (101.0, False)):
        now[0] = at
        assert slot.reserve(0.0) is fetches
        slot.drop()
    slot.leave()
    assert slot.reserve(0.0)


# What Dramatiq fetches


class Message(SimpleNamespace):
    def __init__(self, actor_name: str = ACTOR, **options: Any) -> None:
        super().__init__(actor_name=actor_name, options=options)


class Redis:
    """A consumer of live messages whose fetch gives what a test sets, and the slot it asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gives: Any = None
        self.prefetches: list[int] = []
        self.asked: list[Any] = []
        monkeypatch.setattr(_RedisConsumer, "__next__", self._next)
        for name in ("ack", "nack", "requeue"):
            monkeypatch.setattr(_RedisConsumer, name, self._noted(name))
        broker = SlotBroker(client=Mock(spec=redis.Redis))
        broker.declare_queue(QUEUE)
        broker.slot = self.slot = Slot(LONG_S)
        self.live: Any = broker.consume(QUEUE, timeout=2500)
        self.delayed: Any = broker.consume(f"{QUEUE}.DQ", prefetch=7, timeout=2500)

    def _next(self) -> Any:
        self.prefetches.append(self.live.prefetch)
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives

    def _noted(self, name: str) -> Callable[[Any, Any], None]:
        def note(_: Any, content: Any) -> None:
            self.asked.append((name, content))
            if isinstance(self.gives, Exception):
                raise self.gives

        return note

    @property
    def in_hand(self) -> bool:
        return self.slot._in_hand


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch) -> Redis:
    return Redis(monkeypatch)


@pytest.mark.parametrize(
    ("message", "in_hand"),
    [(Message(), True), (Message("another"), False), (Message(eta=1), False), (None, False)],
    ids=["ours", "of another actor", "for later", "none"],
)
def test_a_message_is_in_hand_where_it_is_one_to_be_run_now(fetch: Redis, message: Any, in_hand: bool) -> None:
    fetch.gives = message
    assert next(fetch.live) is message
    assert fetch.in_hand is in_hand


def test_nothing_is_in_hand_after_a_fetch_that_failed(fetch: Redis) -> None:
    fetch.gives = redis.TimeoutError("hangs")
    with pytest.raises(ConnectionClosed) as raised:
        next(fetch.live)
    assert raised.value.__cause__ is fetch.gives
    assert not fetch.in_hand


def test_without_room_nothing_is_fetched_and_the_wait_is_dramatiqs(
    fetch: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(fetch.slot, "reserve", waits.append)
    assert next(fetch.live) is None
    assert (waits, fetch.prefetches) == ([2.5], [])


def test_one_message_is_fetched_whatever_is_not_acknowledged_yet(fetch: Redis) -> None:
    fetch.live.queued_message_ids = {"one", "two"}
    next(fetch.live)
    assert fetch.prefetches == [3]


def test_delayed_messages_ask_no_slot(fetch: Redis) -> None:
    fetch.slot.close()
    fetch.gives = Message()
    assert next(fetch.delayed) is fetch.gives
    assert (fetch.delayed.prefetch, fetch.delayed.timeout, fetch.delayed.queue_name) == (7, 2500, f"{QUEUE}.DQ")


@pytest.mark.parametrize("name", ["ack", "nack", "requeue"])
def test_what_is_done_with_a_message_is_done_in_redis_and_waits_for_it(fetch: Redis, name: str) -> None:
    getattr(fetch.delayed, name)("message")
    fetch.gives = redis.ResponseError("no")
    with pytest.raises(ConnectionClosed):
        getattr(fetch.live, name)("message")
    assert fetch.asked == [(name, "message")] * 2


# What becomes of an id


class Deliveries:
    """A consumer whose jobs are handled as a test has it, and whose threads are made up."""

    def __init__(self) -> None:
        self.broker = SlotBroker(client=Mock(spec=redis.Redis))
        self.handled: list[UUID] = []
        self.given_back: list[UUID] = []
        self.leaves: Iterable[int] = range(1)
        self.liveness = Liveness()
        self.consumer = Consumer(QUEUE, self.broker, self._handle, self.given_back.append, self.liveness, idle_ms=50)
        self.slot = self.broker.slot

    def deliver(self, *arguments: object) -> None:
        self.broker.actors[ACTOR].fn(*arguments)

    def _handle(self, job_id: UUID, leave: Callable[[], None]) -> None:
        assert not self.slot.wait_idle(0.0)
        for _ in self.leaves:
            leave()
        self.handled.append(job_id)


def test_an_id_that_is_delivered_is_handled_while_the_slot_is_taken() -> None:
    deliveries, job = Deliveries(), uuid4()
    deliveries.deliver(str(job))
    assert (deliveries.handled, deliveries.given_back) == ([job], [])
    assert deliveries.consumer.wait_idle(0.0)


def test_a_job_leaves_the_slot_once_however_often_it_says_so() -> None:
    deliveries = Deliveries()
    left: list[bool] = []
    leave, deliveries.leaves = deliveries.slot.leave, range(3)
    deliveries.slot.leave = lambda: left.append(True) or leave()  # type: ignore[method-assign,func-returns-value]
    deliveries.deliver(str(uuid4()))
    assert left == [True]


def test_an_id_for_which_there_is_no_room_is_given_back() -> None:
    deliveries, job = Deliveries(), uuid4()
    deliveries.consumer.drain()
    deliveries.deliver(str(job))
    assert (deliveries.handled, deliveries.given_back) == ([], [job])


@pytest.mark.parametrize("arguments", [("no id",), (), (str(uuid4()), str(uuid4())), ("x" * 500,)])
def test_what_is_no_id_is_dropped_and_said(arguments: tuple[str, ...]) -> None:
    deliveries = Deliveries()
    deliveries.slot.reserve(0.0)
    with capture_logs() as logs:
        deliveries.deliver(*arguments)
    content = str(arguments)[:100]
    assert logs == [{"event": "dropped a message that is not a job id", "log_level": "error", "content": content}]
    assert (deliveries.handled, deliveries.given_back) == ([], [])
    assert deliveries.slot.reserve(0.0), "its place is free"


def test_a_pause_is_the_slots() -> None:
    deliveries = Deliveries()
    deliveries.consumer.pause(paused=True)
    assert not deliveries.slot.reserve(0.0)
    deliveries.consumer.pause(paused=False)
    assert deliveries.slot.reserve(0.0)


def test_dramatiq_has_one_actor_two_threads_and_looks_as_often_as_it_is_to() -> None:
    deliveries = Deliveries()
    actor: dramatiq.Actor[Any, Any] = deliveries.broker.actors[ACTOR]
    worker: Any = deliveries.consumer._worker
    assert (actor.queue_name, actor.priority, actor.options, worker.broker) == (QUEUE, 0, {}, deliveries.broker)
    assert (worker.worker_threads, worker.worker_timeout) == (2, 50)
    assert deliveries.slot._liveness is deliveries.liveness


def test_threads_that_ended_are_named() -> None:
    consumer, calls = Deliveries().consumer, []
    threads = {alive: SimpleNamespace(is_alive=lambda alive=alive: alive) for alive in (True, False)}
    consumer._worker = cast(
        "Any",
        SimpleNamespace(
            consumers={QUEUE: threads[False], f"{QUEUE}.DQ": threads[True]}, workers=[threads[True], threads[False]],
            start=lambda: calls.append("start"), stop=lambda *, timeout: calls.append(timeout),
        ),
    )  # fmt: skip
    assert consumer.dead() == [f"consumer of {QUEUE}", "runner 1"]
    consumer.start()
    consumer.stop()
    assert calls == ["start", STOP_MS]
