"""The slot: one running job, one message in hand while the job is young, nothing once it is closed."""

import threading
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest
import redis
from dramatiq.errors import ConnectionClosed

from services.common.transport import QUEUE
from services.worker.consumer import Slot, SlotBroker

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
