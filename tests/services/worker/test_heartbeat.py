"""What counts as hanging, what a heartbeat says, and how a standing order is obeyed; time and Redis stand in."""

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from structlog.testing import capture_logs

from services.common.heartbeats import Heartbeat, Order
from services.version import VERSION
from services.worker import heartbeat
from services.worker.attempt import Running
from services.worker.consumer import Slot
from services.worker.heartbeat import (
    BEAT_S,
    CONSUMER,
    JOB,
    MESSAGE,
    STALL_S,
    HeartbeatSender,
    Liveness,
    StandingOrder,
)

AWAY = redis.ConnectionError("Redis is away")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(heartbeat, "time", made)
    return made


# Liveness


def test_the_part_that_stands_still_for_longest_is_named(clock: Clock) -> None:
    liveness = Liveness()
    clock.now += 5
    liveness.tick(JOB)
    assert liveness.stalled() is None
    clock.now += STALL_S - 5
    assert liveness.stalled() is None, "it is no longer than it may be"
    clock.now += 0.1
    assert liveness.stalled() == CONSUMER
    liveness.tick(CONSUMER)
    assert liveness.stalled() is None
    clock.now += 5
    assert liveness.stalled() == JOB
    liveness.rest(JOB)
    assert liveness.stalled() is None
    liveness.rest(JOB)


def test_a_slot_asked_for_room_shows_that_the_consumer_moves(clock: Clock) -> None:
    liveness = Liveness()
    slot = Slot(liveness=liveness)
    clock.now += STALL_S + 1
    assert liveness.stalled() == CONSUMER
    slot.close()
    assert not slot.reserve(0.0)
    assert liveness.stalled() is None


def test_a_message_that_nobody_takes_and_a_job_that_nobody_watches_are_seen(clock: Clock) -> None:
    liveness = Liveness()
    slot = Slot(liveness=liveness)

    def stalled() -> str | None:
        clock.now += STALL_S + 1
        liveness.tick(CONSUMER)
        return liveness.stalled()

    assert slot.reserve(0.0)
    assert stalled() == MESSAGE
    assert slot.enter()
    assert stalled() == JOB
    slot.leave()
    assert stalled() is None


# Orders


class Orders:
    """Redis with the order to this worker, and what the worker made of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: Order | None = None
        self.given: list[tuple[str, Order]] = []
        self.takes: list[bool] = []
        self.standing = StandingOrder(cast("Any", self), "worker-1", self.takes.append)
        monkeypatch.setattr(heartbeat, "hear_order", self.hear)
        monkeypatch.setattr(heartbeat, "give_order", self.give)

    def hear(self, client: object, name: str) -> Order | None:
        assert (client, name) == (self, "worker-1")
        return self.order

    def give(self, client: object, name: str, order: Order) -> None:
        assert client is self
        self.given.append((name, order))


DRAIN, RESUME = Order(True, "ana", "a test", 1.0), Order(False, "ben", "", 2.0)


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Orders:
    return Orders(monkeypatch)


def test_an_order_is_obeyed_once(orders: Orders) -> None:
    orders.standing.look()
    assert (orders.takes, orders.standing.drained) == ([], False)
    for order in (DRAIN, DRAIN, RESUME, RESUME, DRAIN):
        orders.order = order
        with capture_logs() as logs:
            orders.standing.look()
        assert orders.standing.drained is order.drain
        for line in logs:
            verb = "ordered to take no jobs" if order.drain else "ordered to take jobs"
            assert line == {"event": verb, "by": order.by, "reason": order.reason, "log_level": "info"}
    assert orders.takes == [False, True, False]
    assert orders.given == []


def test_an_order_to_take_no_jobs_that_redis_lost_is_given_again(orders: Orders) -> None:
    orders.order = DRAIN
    orders.standing.look()
    orders.order = None
    with capture_logs() as logs:
        orders.standing.look()
    assert orders.given == [("worker-1", DRAIN)]
    assert orders.standing.drained
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "the order to take no jobs was lost, and is given again")
    ]


def test_one_to_take_jobs_is_not(orders: Orders) -> None:
    orders.order = RESUME
    orders.standing.look()
    orders.order = None
    orders.standing.look()
    assert orders.given == []


# Heartbeats

RUNNING = Running("job-1", "noop", 990.0)


class Parts:
    """What a sender asks, and what it sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.job: Running | None = None
        self.drained, self.rest, self.away = False, True, False
        self.hangs: str | None = None
        self.looks = 0
        self.sent: list[Heartbeat] = []
        self.metric: list[Any] = []
        me = cast("Any", self)
        self.sender = HeartbeatSender(
            me, "worker-1", me, me, job=lambda: self.job, at_rest=lambda: self.rest, children=lambda: [7],
            stalled=lambda: self.hangs,
        )  # fmt: skip
        monkeypatch.setattr(heartbeat, "beat", self.send)
        monkeypatch.setattr(heartbeat, "forget", self.forget)

    def send(self, client: object, made: Heartbeat) -> None:
        assert client is self
        if self.away:
            raise AWAY
        self.sent.append(made)

    def forget(self, client: object, name: str) -> None:
        assert client is self
        self.metric.append(("forgotten", name))
        if self.away:
            raise AWAY

    def look(self) -> None:
        self.looks += 1

    def resources(self, children: list[int]) -> int:
        assert children == [7]
        return 1234

    def beat(self, at: float) -> None:
        self.metric.append(at)

    def active(self, *, takes_jobs: bool) -> None:
        self.metric.append(("takes jobs", takes_jobs))

    def rounds(self, count: int) -> list[dict[str, Any]]:
        """What is logged in so many rounds of the thread."""
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            return len(waits) >= count

        vars(self.sender)["_closing"] = SimpleNamespace(wait=wait, set=lambda: None)
        with capture_logs() as logs:
            self.sender._loop()
        assert waits == [BEAT_S] * count
        return [dict(line) for line in logs]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Parts:
    return Parts(monkeypatch)


def test_a_heartbeat_says_what_the_worker_does(parts: Parts) -> None:
    assert parts.rounds(1) == []
    idle = Heartbeat("worker-1", "idle", os.getpid(), 1000.0, memory_bytes=1234, version=VERSION)
    assert (parts.sent, parts.metric, parts.looks) == ([idle], [1000.0], 1)
    parts.job = RUNNING
    parts.rounds(1)
    assert parts.sent[-1] == Heartbeat(
        "worker-1", "busy", os.getpid(), 1000.0, "job-1", "noop", 990.0, memory_bytes=1234, version=VERSION
    )


@pytest.mark.parametrize(
    ("ends", "drained", "rest", "job", "state"),
    [
        (False, False, True, None, "idle"),
        (False, False, False, RUNNING, "busy"),
        (False, True, False, RUNNING, "draining"),
        (False, True, False, None, "draining"),  # its outcome is not recorded yet
        (False, True, True, None, "drained"),
        (True, True, True, None, "draining"),
        (True, False, False, RUNNING, "draining"),
    ],
)
def test_its_state(parts: Parts, ends: bool, drained: bool, rest: bool, job: Running | None, state: str) -> None:
    parts.drained, parts.rest, parts.job = drained, rest, job
    if ends:
        parts.sender.drain()
    parts.rounds(1)
    assert parts.sent[-1].state == state
    assert parts.looks == (0 if ends else 1), "a worker that ends hears no orders"
    assert (("takes jobs", False) in parts.metric) is ends


def test_a_worker_that_hangs_is_silent_and_says_so_once(parts: Parts) -> None:
    parts.hangs, parts.job = JOB, RUNNING
    assert parts.rounds(2) == [{"event": "hangs: no heartbeat", "log_level": "error", "part": JOB, "job_id": "job-1"}]
    assert (parts.sent, parts.looks) == ([], 0)
    parts.hangs = None
    assert parts.rounds(2) == [{"event": "moves again", "log_level": "info", "part": JOB}]
    assert len(parts.sent) == 2
    parts.hangs, parts.job = CONSUMER, None
    assert [line["job_id"] for line in parts.rounds(1)] == [None]


def test_a_redis_that_is_away_is_said_once_and_its_return_too(parts: Parts) -> None:
    parts.away = True
    assert parts.rounds(3) == [
        {"event": "redis is away: no heartbeat", "log_level": "warning", "reason": "Redis is away"}
    ]
    assert parts.metric == [], "a heartbeat that did not go out counts as one"
    parts.away = False
    assert parts.rounds(3) == [{"event": "redis is back", "log_level": "info"}]
    assert parts.metric == [1000.0] * 3


@pytest.mark.parametrize("away", [False, True])
def test_a_worker_that_ended_is_forgotten(parts: Parts, away: bool) -> None:
    parts.away = away
    joined: list[float] = []

    def join(timeout: float) -> None:
        joined.append(timeout)

    vars(parts.sender)["_thread"] = SimpleNamespace(join=join)
    with capture_logs() as logs:
        parts.sender.close()
    assert vars(parts.sender)["_closing"].is_set()
    assert joined == [3 * BEAT_S], "it may still beat after it was forgotten"
    assert parts.metric == [("forgotten", "worker-1")]
    said = {"event": "goodbye not sent", "log_level": "warning", "reason": "Redis is away"}
    assert logs == ([said] if away else [])
