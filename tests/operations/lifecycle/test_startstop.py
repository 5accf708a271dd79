"""Which replicas are stopped, started and made anew, in which order, and what is said of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.operations.lifecycle.test_scale import World
from tests.operations.seen import whole
from tradebot_ops.engines.base import State
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import Outcome
from tradebot_ops.operations.lifecycle import startstop
from tradebot_ops.operations.lifecycle.startstop import restart, start, stop
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Action, Step

#: Beside what the world runs: a task that is over.
TASK = """
services:
  redis: {image: "redis:1", command: [redis]}
  once: {image: "once:1", command: [once], depends_on: {redis: {condition: service_started}}}
  worker:
    image: "worker:1"
    command: [work]
    depends_on: {redis: {condition: service_started}, once: {condition: service_completed_successfully}}
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
  other: {image: "other:1", command: [other], depends_on: [worker]}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("tests.operations.lifecycle.test_scale.COMPOSE", TASK)
    return World(tmp_path)


def alive(world: World) -> list[str]:
    return [found.label for found in world.engine.list() if found.state is State.RUNNING]


def writes(world: World, *verbs: str) -> list[tuple[str, str]]:
    return [(verb, subject) for verb, subject in world.engine.recording if verb in verbs]


ALL = ["other-1", "redis-1", "worker-1", "worker-2"]


def test_what_is_stopped_stays_where_it_is(world: World) -> None:
    assert alive(world) == ALL
    report = stop(world.ops(), ["worker"], ignore_progress)
    assert alive(world) == ["other-1", "redis-1"]
    assert len(world.run()) == 5
    assert whole(report).splitlines()[2:] == [
        "Stopped worker-1, worker-2.",
        'data replicas: "worker-1"',
        'data replicas: "worker-2"',
    ]
    again = stop(world.ops(), ["worker"], ignore_progress)
    assert whole(again).splitlines()[2:] == ["Nothing of that was running.", "data replicas: []"]
    assert len(writes(world, "stop")) == 2


def test_whoever_depends_on_others_stops_before_them(world: World) -> None:
    stop(world.ops(), [], ignore_progress)
    order = [subject for _, subject in writes(world, "stop")]
    assert order[0] == "other-1"
    assert sorted(order[1:3]) == ["worker-1", "worker-2"]
    assert order[3:] == ["redis-1"]
    assert set(world.engine.graces.values()) == {10.0}


def test_what_was_stopped_is_started_and_nothing_else(world: World) -> None:
    stop(world.ops(), ["worker", "other"], ignore_progress)
    world.engine.recording.clear()
    events: list[ProgressEvent] = []
    report = start(world.ops(), ["worker"], events.append)
    assert alive(world) == ["redis-1", "worker-1", "worker-2"]
    assert writes(world, "prepare") == [("prepare", "demo")]
    assert events[0] == ProgressEvent("", Phase.PREPARING, "prepared in memory")
    assert sorted(writes(world, "apply")) == [("apply", "worker-1"), ("apply", "worker-2")]
    assert whole(report).splitlines()[2] == "Started worker-1, worker-2."
    world.engine.recording.clear()
    again = start(world.ops(), ["worker"], ignore_progress)
    assert world.engine.recording == []
    assert whole(again).splitlines()[2:] == [
        "Nothing was stopped. What does not exist yet is made by: tradebot up", "data replicas: []",
    ]  # fmt: skip


@pytest.mark.parametrize("act", [start, restart])
def test_a_task_that_is_over_is_not_done_again(world: World, act: object) -> None:
    assert callable(act)
    act(world.ops(), [], ignore_progress)
    assert "once-1" not in [subject for _, subject in writes(world, "apply", "stop")]


def test_a_restart_ends_what_runs_and_starts_it(world: World) -> None:
    before = {found.label: found.pid for found in world.engine.list()}
    report = restart(world.ops(), ["worker"], ignore_progress)
    after = {found.label: found.pid for found in world.engine.list()}
    assert {label for label in after if after[label] != before[label]} == {"worker-1", "worker-2"}
    assert alive(world) == ALL
    assert whole(report).splitlines()[2] == "Restarted worker-1, worker-2."


def test_nothing_of_that_runs(world: World) -> None:
    world.engine.destroy(None, volumes=False)
    report = restart(world.ops(), ["worker"], ignore_progress)
    assert whole(report).splitlines()[2:] == ["Nothing of that runs. Start it with: tradebot up", "data replicas: []"]


def test_rolling_one_after_the_other_in_order_of_dependency(world: World) -> None:
    restart(world.ops(), [], ignore_progress, rolling=True)
    assert writes(world, "stop", "apply") == [
        (verb, label) for label in ("redis-1", "worker-1", "worker-2", "other-1") for verb in ("stop", "apply")
    ]


@pytest.mark.parametrize("rolling", [False, True])
def test_all_at_once_unless_it_is_to_roll(world: World, monkeypatch: pytest.MonkeyPatch, rolling: bool) -> None:
    rounds: list[list[Step]] = []
    patience: list[float] = []

    def converge(stack: Stack, steps: Sequence[Step], view: EngineView, *_: object) -> Outcome:
        rounds.append(list(steps))
        patience.append(view.patience)
        return Outcome()

    monkeypatch.setattr(startstop, "converge", converge)
    steps = [
        Step(Action.RESTART, name, number, "asked for")
        for name, number in (("redis", 1), ("worker", 1), ("worker", 2), ("other", 1))
    ]
    if rolling:
        restart(world.ops(), [], ignore_progress, rolling=True)
        assert rounds == [[step] for step in steps]
    else:
        restart(world.ops(), [], ignore_progress)
        (together,) = rounds
        assert sorted(together, key=str) == sorted(steps, key=str)
    assert set(patience) == {180.0}
    rounds.clear()
    stop(world.ops(), ["other"], ignore_progress)
    start(world.ops(), ["other"], ignore_progress)
    assert rounds == [[Step(Action.START, "other", 1, "asked for")]]


def test_what_does_not_come_back_fails_the_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = OpsError("It broke.", code="TB-0106")
    monkeypatch.setattr(startstop, "converge", lambda *_: Outcome(failed={"other": broken}))
    with pytest.raises(OpsError, match="It broke"):
        restart(world.ops(), ["other"], ignore_progress)


def test_one_replica_alone_may_be_named(world: World) -> None:
    restart(world.ops(), ["worker-2"], ignore_progress)
    assert [subject for _, subject in writes(world, "apply")] == ["worker-2"]
