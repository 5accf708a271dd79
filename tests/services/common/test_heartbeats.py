"""Who is heard of, who is forgotten, and what a worker is told; in a Redis that is a dictionary with a clock."""

import json
from typing import Any, cast

import pytest

from services.common import heartbeats
from services.common.heartbeats import (
    DESIRED_KEY,
    DRAIN_PREFIX,
    INDEX,
    ORDER_KEPT_S,
    PREFIX,
    TTL_S,
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

NOW = 1_000_000.0


class Redis:
    """Keys with the moment at which they end, and one sorted set. Of a pipeline the answers come together."""

    def __init__(self) -> None:
        self.now = NOW
        self.kept: dict[str, tuple[str, float]] = {}
        self.index: dict[str, float] = {}
        self.answers: list[Any] = []

    def pipeline(self, *, transaction: bool) -> "Redis":
        assert not transaction
        self.answers = []
        return self

    def execute(self) -> list[Any]:
        return self.answers

    def set(self, key: str, value: Any, *, ex: float = float("inf")) -> None:
        self.kept[key] = (str(value), self.now + ex)

    def get(self, key: str) -> bytes | None:
        value, ends = self.kept.get(key, ("", 0.0))
        return value.encode() if ends > self.now else None

    def getdel(self, key: str) -> bytes | None:
        found = self.get(key)
        self.kept.pop(key, None)
        return found

    def getex(self, key: str, *, ex: float) -> bytes | None:
        if (found := self.get(key)) is not None:
            self.set(key, found.decode(), ex=ex)
        return found

    def mget(self, keys: list[str]) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    def pttl(self, key: str) -> None:
        self.answers.append(round(1000 * (self.kept[key][1] - self.now)) if self.get(key) is not None else -2)

    def zadd(self, key: str, scores: dict[str, float]) -> None:
        assert key == INDEX
        self.index |= scores

    def zrem(self, key: str, *names: str) -> None:
        assert key == INDEX
        for name in names:
            self.index.pop(name, None)

    def zrange(self, key: str, first: int, last: int, *, withscores: bool) -> list[tuple[bytes, float]]:
        assert (key, first, last, withscores) == (INDEX, 0, -1, True)
        return [(name.encode(), at) for name, at in sorted(self.index.items(), key=lambda each: each[1])]


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Redis()
    monkeypatch.setattr("services.common.heartbeats.time.time", lambda: made.now)
    return cast("Any", made)


def beats(redis: Any, name: str, at: float | None = None) -> None:
    beat(redis, Heartbeat(name, "idle", 7, redis.now if at is None else at))


def test_who_beats_is_there_by_name_until_it_was_silent_for_half_a_minute(redis: Any) -> None:
    for name in ("c", "a", "b"):
        beats(redis, name)
    assert TTL_S == 30
    redis.now += 29
    assert [each.name for each in alive(redis)] == ["a", "b", "c"]
    beats(redis, "b")
    redis.now += 2
    assert [each.name for each in alive(redis)] == ["b"]


def test_its_own_word_of_when_it_beat_decides_nothing(redis: Any) -> None:
    """The clocks of workers differ."""
    for name, at in (("slow", NOW - 9000), ("fast", NOW + 9000)):
        beats(redis, name, at)
    assert heard(redis, 5.0) == ["fast", "slow"]
    assert [each.name for each in alive(redis)] == ["fast", "slow"]


def test_heard_is_whoever_beat_within_so_many_seconds(redis: Any) -> None:
    beats(redis, "a")
    redis.now += 4
    beats(redis, "b")
    assert ages(redis, ["a", "b", "never"]) == {"a": pytest.approx(4), "b": pytest.approx(0)}
    assert heard(redis, 5.0) == ["a", "b"]
    assert heard(redis, 4.0) == ["a", "b"]
    redis.now += 2
    assert heard(redis, 5.0) == ["b"]


def test_a_name_is_taken_out_of_the_list_long_after_it_was_silent(redis: Any) -> None:
    """Not sooner: it may be beating for the first time between two questions."""
    beats(redis, "gone")
    beats(redis, "here")
    redis.now += 9 * TTL_S
    assert alive(redis) == []
    assert set(redis.index) == {"gone", "here"}
    redis.now += 2 * TTL_S
    redis.set(PREFIX + "here", json.dumps({"name": "here", "state": "idle", "pid": 7, "at": NOW}))
    assert [each.name for each in alive(redis)] == ["here"]
    assert set(redis.index) == {"here"}, "its clock is wrong, and it is there"


def test_who_says_goodbye_is_gone_at_once(redis: Any) -> None:
    beats(redis, "a")
    forget(redis, "a")
    assert (alive(redis), redis.index) == ([], {})


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", "1", '{"name": "x"}'])
def test_a_stranger_hides_no_other_worker(redis: Any, text: str) -> None:
    beats(redis, "a")
    redis.set(PREFIX + "b", text)
    redis.index["b"] = NOW
    assert [each.name for each in alive(redis)] == ["a"]


def test_a_heartbeat_of_a_newer_version_is_understood_as_far_as_it_can_be(redis: Any) -> None:
    redis.set(PREFIX + "b", json.dumps({"name": "b", "state": "busy", "pid": 1, "at": NOW, "mood": "good"}))
    redis.index["b"] = NOW
    assert [(each.name, each.state) for each in alive(redis)] == [("b", "busy")]


@pytest.mark.parametrize(
    ("text", "count"), [("4", 4), ("0", 0), ("", None), ("-1", None), ("many", None), (None, None)]
)
def test_how_many_workers_are_wanted(redis: Any, text: str | None, count: int | None) -> None:
    if text is not None:
        redis.set(DESIRED_KEY, text)
    assert desired_workers(redis) == count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300", 300.0), ("0", 0.0), ("-5", 0.0), ("nan", None), ("inf", None), ("soon", None), (None, None)],
)
def test_time_that_was_granted_is_given_once(redis: Any, text: str | None, seconds: float | None) -> None:
    if text is not None:
        redis.set(DRAIN_PREFIX + "a", text)
    assert granted_drain(redis, "b") is None
    assert granted_drain(redis, "a") == seconds
    assert granted_drain(redis, "a") is None, "it was meant for the worker before"


def test_an_order_lasts_for_as_long_as_its_worker_hears_it(redis: Any) -> None:
    order = Order(drain=True, by="ana", reason="memory", at=NOW)
    give_order(redis, "a", order)
    for _ in range(3):
        redis.now += ORDER_KEPT_S - 1
        assert hear_order(redis, "a") == order
    assert orders(redis, ["a", "b"]) == {"a": order}
    assert orders(redis, []) == {}
    redis.now += ORDER_KEPT_S
    assert hear_order(redis, "a") is None
    assert ORDER_KEPT_S == 7 * 86_400, "a worker that is down over a weekend is still drained"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"drain": true}', '{"drain": true, "by": "a", "else": 1}'])
def test_an_order_that_is_not_understood_is_none(redis: Any, text: str) -> None:
    redis.set(heartbeats.ORDER_PREFIX + "a", text)
    assert hear_order(redis, "a") is None
