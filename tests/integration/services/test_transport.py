"""Transport, heartbeats and the Redis client on a real Redis that is killed, emptied and hung."""

import time
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID, uuid4

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from services.common.database import Database
from services.common.heartbeats import (
    DESIRED_KEY,
    DRAIN_PREFIX,
    INDEX,
    ORDER_PREFIX,
    PREFIX,
    Heartbeat,
    Order,
    ages,
    alive,
    beat,
    desired_workers,
    forget,
    give_order,
    granted_drain,
    hear_order,
    heard,
    orders,
)
from services.common.ledger import Ledger
from services.common.metrics import REDIS_OPERATIONS
from services.common.queue_metrics import QueueCollector
from services.common.redis_client import ObservedRedis, redis_client
from services.common.settings import Settings
from services.common.transport import ACTOR, QUEUE, Transport, TransportUnavailable, make_broker
from tests.integration.parts import RedisPart
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def own_settings(own_redis: RedisPart) -> Settings:
    return Settings(redis_url=own_redis.url(), redis_password_file=own_redis.password_file)


@pytest.fixture
def client(own_settings: Settings) -> Iterator[ObservedRedis]:
    client = redis_client(own_settings)
    yield client
    client.close()


@pytest.fixture
def transport(own_settings: Settings) -> Iterator[Transport]:
    transport = Transport(make_broker(own_settings))
    yield transport
    transport.close()


def test_a_message_carries_the_id_alone(transport: Transport, own_settings: Settings) -> None:
    job_id = uuid4()
    transport.send(job_id)
    broker: dramatiq.Broker = make_broker(own_settings)
    message = next(broker.consume(QUEUE))
    assert message is not None
    assert (message.actor_name, message.args, message.kwargs) == (ACTOR, (str(job_id),), {})


def test_an_id_that_goes_ahead_comes_first(transport: Transport, own_settings: Settings) -> None:
    first, second = uuid4(), uuid4()
    transport.send(first)
    transport.send(second, ahead=True)
    assert taken(own_settings) == [second, first]


def test_an_id_that_goes_ahead_moves_no_other_that_was_sent_at_the_same_moment(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, ahead, between = uuid4(), uuid4(), uuid4()
    broker: RedisBroker = make_broker(own_settings)
    transport, append = Transport(broker), broker.enqueue

    def enqueue_and_another(message: dramatiq.Message[None], *, delay: int | None = None) -> dramatiq.Message[None]:
        sent: dramatiq.Message[None] = append(message, delay=delay)
        other.send(between)
        return sent

    with closing(Transport(make_broker(own_settings))) as other, closing(transport):
        other.send(first)
        monkeypatch.setattr(broker, "enqueue", enqueue_and_another)
        transport.send(ahead, ahead=True)
        assert taken(own_settings) == [ahead, first, between]


def test_an_id_that_goes_ahead_and_is_fetched_at_once_does_not_come_again(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker: RedisBroker = make_broker(own_settings)
    append = broker.enqueue
    fetched = []

    def enqueue_and_fetch(message: dramatiq.Message[None], *, delay: int | None = None) -> dramatiq.Message[None]:
        sent: dramatiq.Message[None] = append(message, delay=delay)
        fetched.extend(taken(own_settings))
        return sent

    monkeypatch.setattr(broker, "enqueue", enqueue_and_fetch)
    job_id = uuid4()
    with closing(Transport(broker)) as transport:
        transport.send(job_id, ahead=True)
    assert (fetched, taken(own_settings)) == ([job_id], [])


def taken(settings: Settings) -> list[UUID]:
    """Whatever waits in the queue, in the order in which a worker gets it."""
    consumer: dramatiq.Consumer = make_broker(settings).consume(QUEUE, prefetch=10, timeout=50)
    found = []
    while (message := next(consumer)) is not None:
        found.append(UUID(message.args[0]))
    return found


def test_a_delayed_message_waits_in_the_delay_queue(transport: Transport, client: ObservedRedis) -> None:
    transport.send(uuid4(), delay_s=60)
    assert client.llen("dramatiq:jobs.DQ") == 1
    assert client.llen("dramatiq:jobs") == 0


def test_sending_survives_a_restart_of_redis(transport: Transport, own_redis: RedisPart) -> None:
    transport.send(uuid4())
    own_redis.kill()
    started = time.monotonic()
    with pytest.raises(TransportUnavailable, match="Redis did not take the message"):
        transport.send(uuid4())
    assert time.monotonic() - started < 5
    own_redis.start()
    transport.send(uuid4())


def test_a_hung_redis_is_given_up_soon(transport: Transport, own_redis: RedisPart) -> None:
    transport.send(uuid4())
    own_redis.pause()
    started = time.monotonic()
    try:
        with pytest.raises(TransportUnavailable):
            transport.send(uuid4())
    finally:
        own_redis.resume()
    assert time.monotonic() - started < 6


def test_a_wrong_password_is_a_clear_sentence(own_redis: RedisPart, tmp_path) -> None:  # type: ignore[no-untyped-def]
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    settings = Settings(redis_url=own_redis.url(), redis_password_file=wrong)
    with pytest.raises(TransportUnavailable, match="invalid username-password pair"):
        Transport(make_broker(settings)).send(uuid4())


def test_an_emptied_redis_is_noticed_once(transport: Transport, client: ObservedRedis) -> None:
    assert transport.forgot_everything()
    assert not transport.forgot_everything()
    client.flushall()
    assert transport.forgot_everything()
    assert not transport.forgot_everything()


def test_heartbeats_come_and_go(client: ObservedRedis) -> None:
    now = time.time()
    busy = Heartbeat("w2", "busy", 12, now, "job-1")
    beat(client, Heartbeat("w1", "idle", 11, now))
    beat(client, busy)
    assert alive(client) == [Heartbeat("w1", "idle", 11, now), busy]
    forget(client, "w1")
    assert alive(client) == [busy]
    beat(client, busy, ttl_s=1)
    until(lambda: alive(client) == [], "the heartbeat runs out", 5)


def test_names_long_gone_leave_the_index(client: ObservedRedis) -> None:
    beat(client, Heartbeat("old", "idle", 1, time.time() - 1000))
    client.delete(PREFIX + "old")
    assert alive(client) == []
    assert client.zcard(INDEX) == 0


def test_the_clock_of_a_worker_may_be_wrong(client: ObservedRedis) -> None:
    slow = Heartbeat("slow", "idle", 1, time.time() - 3600)
    for each in (slow, Heartbeat("fast", "idle", 2, time.time() + 3600), Heartbeat("gone", "idle", 3, slow.at)):
        beat(client, each)
    client.delete(PREFIX + "gone")
    assert [each.name for each in alive(client)] == ["fast", "slow"]
    assert heard(client, 5.0) == ["fast", "slow"]
    found = ages(client, ["slow", "fast", "gone"])
    assert found.keys() == {"slow", "fast"}
    assert max(found.values()) < 5


def test_a_heartbeat_of_a_newer_version_is_read_as_far_as_it_is_known(client: ObservedRedis) -> None:
    beat(client, Heartbeat("w1", "idle", 11, 1.0))
    client.set(PREFIX + "w1", '{"name": "w1", "state": "idle", "pid": 11, "at": 1.0, "mood": "good"}')
    assert alive(client) == [Heartbeat("w1", "idle", 11, 1.0)]


def test_an_order_is_kept_as_long_as_its_worker_hears_it(client: ObservedRedis) -> None:
    order = Order(drain=True, by="ana", reason="memory")
    assert hear_order(client, "w1") is None
    give_order(client, "w1", order)
    client.expire(ORDER_PREFIX + "w1", 5)
    assert orders(client, ["w1", "w2"]) == {"w1": order}
    assert hear_order(client, "w1") == order
    assert client.ttl(ORDER_PREFIX + "w1") > 600_000
    client.set(ORDER_PREFIX + "w1", "not json")
    assert hear_order(client, "w1") is None


@pytest.mark.parametrize(("stored", "told"), [(None, None), ("4", 4), ("0", 0), ("many", None), ("-1", None)])
def test_desired_workers(client: ObservedRedis, stored: str | None, told: int | None) -> None:
    if stored is not None:
        client.set(DESIRED_KEY, stored)
    assert desired_workers(client) == told


@pytest.mark.parametrize(
    ("stored", "told"), [("300", 300.0), ("2.5", 2.5), ("0", 0.0), ("-1", 0.0), ("long", None), ("nan", None)]
)
def test_a_granted_drain_is_told_once(client: ObservedRedis, stored: str, told: float | None) -> None:
    client.set(DRAIN_PREFIX + "w1", stored)
    assert granted_drain(client, "w2") is None
    assert granted_drain(client, "w1") == told
    assert granted_drain(client, "w1") is None


def test_operations_are_observed(own_settings: Settings, own_redis: RedisPart) -> None:
    seen: list[tuple[str, str]] = []
    client = redis_client(own_settings, lambda operation, status: seen.append((operation, status)))
    client.get("x")
    own_redis.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    assert seen == [("get", "ok"), ("ping", "error")]


def test_every_operation_that_services_use_has_its_series_from_the_start(own_settings: Settings) -> None:
    """Else the first failure of one makes a new series, and `increase()` does not see it."""
    seen: set[str] = set()
    client = redis_client(own_settings, lambda operation, _status: seen.add(operation))
    transport = Transport(make_broker(own_settings, client=client))
    assert transport.forgot_everything()
    client.script_flush()
    transport.send(uuid4())
    assert next(make_broker(own_settings, client=client).consume(QUEUE)) is not None
    beat(client, Heartbeat("old", "idle", 1, time.time() - 1000))
    client.delete(PREFIX + "old")
    seen.discard("del")  # by this test alone
    assert alive(client) == []
    assert desired_workers(client) is None
    assert granted_drain(client, "w1") is None
    assert hear_order(client, "w1") is None
    with closing(Database(own_settings, "no-postgres")) as database:
        list(QueueCollector(Ledger(database), client, workers_desired=True).collect())
    assert {"llen", "script", "set", "zrem"} <= seen
    assert seen <= set(REDIS_OPERATIONS)
