"""What is sent, where and when: to a broker that keeps it. To Redis: tests/integration/services/test_transport.py."""

from typing import Any, cast
from unittest.mock import Mock
from uuid import uuid4

import pytest
import redis
from dramatiq import Message

from services.common.jobtypes import registry
from services.common.transport import ACTOR, LONG_QUEUE, QUEUE, Transport, TransportUnavailable, queue_of, redis_list
from tests.paths import ROOT

LONG = {"sweep", "walk_forward", "load_candles", "download_candles"}
JOB = uuid4()


class Broker:
    """Keeps what it was given; ``away`` is what it raises."""

    def __init__(self) -> None:
        self.client = self
        self.given: list[tuple[Message[None], int | None]] = []
        self.to_front = Mock()
        self.kept: dict[str, str] = {}
        self.away: Exception | None = None

    def register_script(self, _text: str) -> Mock:
        return self.to_front

    def enqueue(self, message: Message[None], *, delay: int | None) -> Message[None]:
        if self.away:
            raise self.away
        self.given.append((message, delay))
        return message.copy(options={"redis_message_id": "r1"})

    def set(self, key: str, value: str, *, nx: bool) -> bool | None:
        """As Redis does: with ``nx`` nothing is set where something is."""
        if self.away:
            raise self.away
        if nx and key in self.kept:
            return None
        self.kept[key] = value
        return True


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def transport(broker: Broker) -> Transport:
    return Transport(cast("Any", broker))


def test_jobs_of_long_types_do_not_hold_up_the_others_and_the_guide_names_them() -> None:
    """One of a type that nobody knows ends at once."""
    assert {name for name, each in registry().types.items() if queue_of(each) == LONG_QUEUE} == LONG
    assert queue_of(None) == queue_of(registry().types["backtest"]) == QUEUE != LONG_QUEUE
    page = " ".join((ROOT / "docs" / "jobs.md").read_text(encoding="utf-8").split())
    assert "`sweep`, `walk_forward`, `load_candles` and `download_candles` are long" in page


@pytest.mark.parametrize(("delay_s", "delay_ms"), [(0.0, None), (0.25, 250), (2.0, 2000), (-1.0, None)])
@pytest.mark.parametrize("ahead", [False, True])
def test_an_id_goes_to_its_queue_when_it_is_due(
    transport: Transport, broker: Broker, delay_s: float, delay_ms: int | None, ahead: bool
) -> None:
    transport.send(JOB, LONG_QUEUE, delay_s=delay_s, ahead=ahead)
    [(message, delay)] = broker.given
    assert (message.queue_name, message.actor_name, message.args, delay) == (LONG_QUEUE, ACTOR, (str(JOB),), delay_ms)
    assert [each.kwargs for each in broker.to_front.mock_calls] == [
        {"keys": [redis_list(LONG_QUEUE)], "args": ["r1"]}
    ] * ahead


def test_without_more_words_it_goes_to_the_short_ones_now_and_behind_those_that_wait(
    transport: Transport, broker: Broker
) -> None:
    transport.send(JOB)
    [(message, delay)] = broker.given
    assert (message.queue_name, delay, broker.to_front.mock_calls) == (QUEUE, None, [])


def test_that_everything_was_forgotten_is_said_once(transport: Transport, broker: Broker) -> None:
    assert [transport.forgot_everything() for _ in range(3)] == [True, False, False]
    broker.kept.clear()
    assert [transport.forgot_everything() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("away", [redis.ConnectionError("away"), redis.TimeoutError("away"), OSError("away")])
def test_a_redis_that_is_away_is_one_kind_of_failure(transport: Transport, broker: Broker, away: Exception) -> None:
    broker.away = away
    with pytest.raises(TransportUnavailable, match="away"):
        transport.send(JOB)
    with pytest.raises(TransportUnavailable, match="away"):
        transport.forgot_everything()


def test_anything_else_is_a_fault_of_ours(transport: Transport, broker: Broker) -> None:
    broker.away = TypeError("no message")
    with pytest.raises(TypeError):
        transport.send(JOB)
