"""Scaling: who leaves, and what is refused. The whole is proved in the integration tests."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.operations.seen import Made, made, refusal
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.converge.execute import Outcome
from tradebot_ops.operations.lifecycle import startstop
from tradebot_ops.operations.lifecycle.down import down
from tradebot_ops.operations.lifecycle.scale import explain, leavers, parse, parse_reset, reset, scale
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import DesiredReplicas, ScaleHistory, WorkersTold
from tradebot_ops.settings import load_settings


def workers(*numbers: int) -> list[Replica]:
    return [Replica("worker", number, f"id-{number}", f"worker-{number}", State.RUNNING) for number in numbers]


def test_idle_ones_leave_before_busy_ones_and_the_newest_first() -> None:
    activity = {1: "idle", 2: "idle", 3: "busy", 4: "idle", 5: "busy"}
    chosen = leavers(workers(1, 2, 3, 4, 5), 2, activity, "its job may go on")
    assert [(replica.number, why) for replica, why in chosen] == [
        (4, "idle"),
        (2, "idle"),
        (5, "busy; its job may go on"),
    ]


def test_a_drained_one_leaves_before_all_others_and_one_that_drains_counts_as_busy() -> None:
    activity = {1: "idle", 2: "drained", 3: "draining", 4: "idle"}
    chosen = leavers(workers(1, 2, 3, 4), 1, activity, "its job may go on")
    assert [(replica.number, why) for replica, why in chosen] == [
        (2, "drained"),
        (4, "idle"),
        (3, "draining; its job may go on"),
    ]


def test_replica_one_is_the_last_to_leave() -> None:
    assert [replica.number for replica, _ in leavers(workers(1, 2), 1, {1: "idle", 2: "busy"}, "")] == [2]
    assert [replica.number for replica, _ in leavers(workers(1, 2), 0, {}, "")] == [2, 1]


def test_nobody_leaves_when_more_are_wanted() -> None:
    assert leavers(workers(1, 2), 6, {}, "") == []


def test_without_heartbeats_the_newest_leave_and_it_is_said() -> None:
    assert [(i.number, why) for i, why in leavers(workers(1, 2, 3), 2, {}, "")] == [(3, "its heartbeat is unknown")]


@pytest.mark.parametrize(
    ("typed", "expected"), [(("workers", "6"), ("workers", 6)), (("workers=6", None), ("workers", 6))]
)
def test_both_spellings(typed: tuple[str, str | None], expected: tuple[str, int]) -> None:
    assert parse(*typed) == expected


@pytest.mark.parametrize("typed", [("workers", None), ("workers", "six"), ("workers=", None), ("workers", "1.5")])
def test_no_number_no_scaling(typed: tuple[str, str | None]) -> None:
    with pytest.raises(OpsError, match="not a number") as raised:
        parse(*typed)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("typed", [("workers", "6"), ("workers=6", None), ("service=workers=6", None)])
def test_a_reset_takes_no_number(typed: tuple[str, str | None]) -> None:
    with pytest.raises(OpsError, match="takes no number"):
        parse_reset(*typed)
    assert parse_reset("service=workers", None) == "service=workers"


# The whole, on an engine in memory

COMPOSE = """
services:
  redis: {image: "redis:1", command: [redis]}
  worker:
    image: "worker:1"
    command: [work]
    stop_grace_period: 45s
    depends_on: [redis]
    deploy: {replicas: 2}
    x-tradebot: {scalable: true}
  other: {image: "other:1", command: [other], stop_grace_period: 9s, x-tradebot: {scalable: true}}
"""


class Redis:
    """Keeps the numbers of wanted workers, and the seconds granted to those that leave."""

    def __init__(self) -> None:
        self.wanted: list[int] = []
        self.granted: list[float] = []
        self.away = False

    def desire_workers(self, count: int) -> None:
        self._refuse()
        self.wanted.append(count)

    def grant_drain(self, names: object, seconds: float) -> None:
        self._refuse()
        self.granted.append(seconds)

    def _refuse(self) -> None:
        if self.away:
            raise Unreachable("Redis is away.", code="TB-0501")


class Api:
    beats: dict[str, str]

    def __init__(self, **beats: str) -> None:
        self.beats = {name.replace("_", "-"): state for name, state in beats.items()}
        self.running: list[str] = []
        self.ledger_away = False

    def workers(self) -> list[dict[str, Any]]:
        return [{"name": name, "state": state} for name, state in self.beats.items()]

    def jobs(self, state: str, job_type: str | None, limit: int) -> dict[str, Any]:
        assert (state, job_type) == ("running", None)
        if self.ledger_away:
            raise Unreachable("Postgres is away.", code="TB-0508")
        return {"jobs": [{"worker": name} for name in self.running][:limit]}


class Engine(StubEngine):
    def __init__(self) -> None:
        super().__init__("demo")
        self.graces: dict[str, float] = {}

    def stop(self, replica: Replica, grace: float) -> None:
        self.graces[replica.label] = grace
        super().stop(replica, grace)


class World:
    """Redis, two workers and another service, all running."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine, self.redis, self.api = folder, Engine(), Redis(), Api()
        (folder / "compose.yaml").write_text(COMPOSE)
        ops = self.ops()
        self.engine.prepare(ops.stack, lambda service, line: None)
        for name, service in ops.stack.services.items():
            for number in range(1, service.replicas + 1):
                self.engine.apply(ops.stack, name, number)
        self.engine.recording.clear()

    def ops(self) -> Ops:
        """Of the next command."""
        environ = {"TRADEBOT_STATE": str(self.folder / "state"), "HOME": str(self.folder)}
        made = Ops(load_settings({"project": "demo"}, environ, self.folder), self.engine)
        vars(made).update(redis=self.redis, api=self.api)
        return made

    def run(self) -> list[str]:
        return [found.label for found in self.engine.list()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_more_are_added_without_touching_the_others(world: World) -> None:
    report = scale(world.ops(), "workers", 4, ignore_progress)
    assert world.run() == ["other-1", "redis-1", "worker-1", "worker-2", "worker-3", "worker-4"]
    writes = sorted(one for one in world.engine.recording if one[0] != "prepare")
    assert writes == [("apply", "worker-3"), ("apply", "worker-4")]
    assert world.engine.recording[0] == ("prepare", "demo"), "a volume or a network may be gone"
    assert isinstance(report.data, dict)
    assert (report.data["before"], report.data["replicas"], report.data["changed"]) == (2, 4, True)
    assert report.data["added"] == ["worker-3", "worker-4"]


def test_what_another_service_lacks_is_not_added_with_it(world: World) -> None:
    other = world.engine.list()[0]
    world.engine.stop(other, 1)
    world.engine.remove(other)
    scale(world.ops(), "workers", 3, ignore_progress)
    assert world.run() == ["redis-1", "worker-1", "worker-2", "worker-3"]


def test_those_that_leave_are_stopped_and_removed_by_what_they_do(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    world.api = Api(worker_2="idle", worker_3="busy")
    events: list[ProgressEvent] = []
    report = scale(world.ops(), "workers", 2, events.append)
    assert world.run() == ["other-1", "redis-1", "worker-1", "worker-3"]
    assert world.engine.graces == {"worker-2": 45.0}
    assert [each.phase for each in events] == [Phase.STOPPING, Phase.REMOVED]
    assert isinstance(report.data, dict)
    assert report.data["removed"] == [{"name": "worker-2", "why": "idle"}]


def test_a_worker_whose_job_began_after_its_heartbeat_is_busy(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    world.api = Api(worker_1="idle", worker_2="idle", worker_3="idle")
    world.api.running = ["worker-3", "gone-7"]
    report = scale(world.ops(), "workers", 1, ignore_progress, drain=2)
    assert isinstance(report.data, dict)
    assert report.data["removed"] == [
        {"name": "worker-2", "why": "idle"},
        {"name": "worker-3", "why": "busy; its job has up to 2 s, then it is handed back"},
    ]


def test_heartbeats_decide_alone_while_the_ledger_is_away(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    world.api = Api(worker_1="idle", worker_2="idle", worker_3="busy")
    world.api.ledger_away = True
    report = scale(world.ops(), "workers", 2, ignore_progress)
    assert isinstance(report.data, dict)
    assert report.data["removed"] == [{"name": "worker-2", "why": "idle"}]


def test_what_does_not_come_up_fails_the_command_though_it_is_of_a_profile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Outcome(failed={"other": OpsError("It broke.", code="TB-0106")})
    monkeypatch.setattr("tradebot_ops.operations.lifecycle.scale.converge", lambda *_: broken)
    with pytest.raises(OpsError, match="It broke"):
        scale(world.ops(), "other", 2, ignore_progress)


def test_redis_is_told_how_many_workers_are_wanted_and_of_nothing_else(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    assert world.redis.wanted == [3]
    assert world.ops().state.load(WorkersTold).workers == 3
    scale(world.ops(), "other", 2, ignore_progress)
    assert world.redis.wanted == [3]


def test_a_redis_that_is_away_is_a_warning_and_the_next_up_publishes_again(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    world.redis.away = True
    report = scale(world.ops(), "workers", 2, ignore_progress, drain=5)
    assert "worker-3" not in world.run()
    assert len(report.warnings) == 2
    assert "WorkersBelowDesired" in report.warnings[0]
    assert "worker-3 gave its job the usual time" in report.warnings[1]
    assert world.ops().state.load(WorkersTold).workers is None


@pytest.mark.parametrize(("name", "grace"), [("worker", 22.0), ("other", 7.0)])
def test_the_time_that_was_granted_is_that_of_the_job(world: World, name: str, grace: float) -> None:
    scale(world.ops(), name, 0, ignore_progress, drain=7)
    assert set(world.engine.graces.values()) == {grace}
    assert set(world.redis.granted) == ({7} if name == "worker" else set())


def test_the_number_is_kept_for_the_next_up_and_remembered(world: World) -> None:
    scale(world.ops(), "other", 2, ignore_progress)
    scale(world.ops(), "workers", 3, ignore_progress)
    assert world.ops().state.load(DesiredReplicas).replicas == {"other": 2, "worker": 3}
    scale(world.ops(), "workers", 1, ignore_progress, persist=False)
    assert world.ops().state.load(DesiredReplicas).replicas == {"other": 2, "worker": 3}
    history = world.ops().state.load(ScaleHistory).scalings
    assert [(one.service, one.before, one.after, one.kept) for one in history] == [
        ("other", 1, 2, True),
        ("worker", 2, 3, True),
        ("worker", 3, 1, False),
    ]


@pytest.mark.parametrize(
    ("name", "count", "code"),
    [("redis", 0, "TB-0209"), ("redis", 2, "TB-0209"), ("worker", -1, "TB-0203"), ("worker", 101, "TB-0203")],
)
def test_what_cannot_be_is_refused_and_nothing_changes(world: World, name: str, count: int, code: str) -> None:
    before = world.run()
    for act in (lambda: scale(world.ops(), name, count, ignore_progress), lambda: explain(world.ops(), name, count)):
        with pytest.raises(OpsError) as caught:
            act()
        assert caught.value.code == code
    assert (world.run(), world.engine.recording, world.redis.wanted) == (before, [], [])
    assert world.ops().state.load(DesiredReplicas).replicas == {}


@pytest.mark.parametrize("count", [0, 100])
def test_the_ends_of_what_can_be(world: World, count: int) -> None:
    scale(world.ops(), "workers", count, ignore_progress)
    assert len([label for label in world.run() if label.startswith("worker")]) == count
    assert scale(world.ops(), "redis", 1, ignore_progress).findings == ()


def test_nothing_runs_and_nothing_can_be_scaled(world: World) -> None:
    world.engine.destroy(None, volumes=False)
    with pytest.raises(OpsError, match="Nothing runs") as caught:
        scale(world.ops(), "workers", 3, ignore_progress)
    assert caught.value.code == "TB-0108"


def test_what_would_happen_is_explained_and_does_not(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    world.engine.recording.clear()
    world.api = Api(worker_1="idle", worker_2="idle", worker_3="busy")
    fewer, more = explain(world.ops(), "workers", 2), explain(world.ops(), "workers", 5)
    assert isinstance(fewer.data, dict)
    assert isinstance(more.data, dict)
    assert (fewer.data["removed"], fewer.data["changed"]) == ([{"name": "worker-2", "why": "idle"}], False)
    assert (more.data["added"], more.data["removed"]) == (["worker-4", "worker-5"], [])
    assert fewer.sections[0].lines == (
        "worker: 3 -> 2. Nothing was changed.",
        "  would be removed worker-2 (idle)",
    )
    assert world.engine.recording == []


def test_a_reset_forgets_one_number_and_goes_back_to_what_the_files_ask_for(world: World) -> None:
    scale(world.ops(), "other", 2, ignore_progress)
    scale(world.ops(), "workers", 5, ignore_progress)
    reset(world.ops(), "workers", ignore_progress)
    assert [label for label in world.run() if label.startswith("worker")] == ["worker-1", "worker-2"]
    assert world.ops().state.load(DesiredReplicas).replicas == {"other": 2}
    assert world.redis.wanted == [5, 2]
    again = reset(world.ops(), "workers", ignore_progress)
    assert again.data == {"service": "worker", "replicas": 2}
    assert "No number is stored for worker" in again.sections[0].lines[0]


def test_a_reset_drains_as_it_was_told_and_keeps_no_number(world: World) -> None:
    scale(world.ops(), "workers", 3, ignore_progress)
    report = reset(world.ops(), "workers", ignore_progress, drain=7)
    assert world.engine.graces == {"worker-3": 22.0}
    assert world.redis.granted == [7]
    assert [one.kept for one in world.ops().state.load(ScaleHistory).scalings] == [True, False]
    assert report.sections[-1].lines == ("The number that was stored for worker is forgotten.",)


def test_a_reset_of_what_does_not_run_waits_for_the_next_up(world: World) -> None:
    scale(world.ops(), "workers", 5, ignore_progress)
    scale(world.ops(), "workers", 0, ignore_progress, persist=False)
    world.engine.recording.clear()
    report = reset(world.ops(), "workers", ignore_progress)
    assert report.sections[0].lines == ("The next `up` starts 2.",)
    assert report.data == {"service": "worker", "replicas": 2}
    assert world.engine.recording == []
    assert world.ops().state.load(DesiredReplicas).replicas == {}


# One at a time


def on_workers(ops: Ops, on_progress: OnProgress) -> None:
    scale(ops, "workers", 3, on_progress)


def forgetting(ops: Ops, on_progress: OnProgress) -> None:
    ops.state.store(DesiredReplicas({"worker": 2}))
    reset(ops, "workers", on_progress)


def forgetting_what_does_not_run(ops: Ops, on_progress: OnProgress) -> None:
    ops.state.store(DesiredReplicas({"other": 2}))
    vars(ops.engine)["list"] = tuple
    reset(ops, "other", on_progress)


@pytest.mark.parametrize(
    "act",
    [
        on_workers,
        forgetting,
        forgetting_what_does_not_run,
        down,
        lambda ops, on_progress: up(ops, [], on_progress, prove=False),
        lambda ops, on_progress: startstop.stop(ops, [], on_progress),
        lambda ops, on_progress: startstop.start(ops, [], on_progress),
        lambda ops, on_progress: startstop.restart(ops, [], on_progress),
    ],
)  # fmt: skip
def test_nothing_is_changed_while_another_command_changes_the_project(world: World, act: Any) -> None:
    with world.ops().state.lock("up"), pytest.raises(OpsError, match="is being changed by `tradebot up`") as caught:
        act(world.ops(), ignore_progress)
    assert caught.value.code == "TB-0701"
    assert world.engine.recording == []
    assert world.redis.wanted == []


CHANGES: dict[str, Any] = {
    "scale other 2": lambda ops, heard: scale(ops, "other", 2, heard),
    "scale worker 1 --force --reason fire": lambda ops, heard: scale(ops, "workers", 1, heard, forced="fire"),
    "scale worker --reset": lambda ops, heard: reset(ops, "workers", heard),
    "down": down,
    "down --volumes --force --reason fire": lambda ops, heard: down(ops, heard, volumes=True, forced="fire"),
    "up worker": lambda ops, heard: up(ops, ["worker"], heard, prove=False),
    "stop worker": lambda ops, heard: startstop.stop(ops, ["worker"], heard),
    "stop --force --reason fire": lambda ops, heard: startstop.stop(ops, [], heard, forced="fire"),
    "start other": lambda ops, heard: startstop.start(ops, ["other"], heard),
    "restart other": lambda ops, heard: startstop.restart(ops, ["other"], heard),
    "restart redis --force --reason fire": lambda ops, heard: startstop.restart(ops, ["redis"], heard, forced="fire"),
}


@pytest.mark.parametrize("words", CHANGES)
def test_the_audit_log_has_the_words_of_a_change_and_hooks_are_heard_of(
    world: World, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    ops = world.ops()
    if words.endswith("--reset"):
        ops.state.store(DesiredReplicas({"worker": 1}))
        vars(ops.engine)["list"] = tuple
    assert made(monkeypatch, lambda heard: CHANGES[words](ops, heard)) == [Made(tuple(words.split()))]


def test_what_cannot_be_is_told_with_what_can(world: World) -> None:
    hint = "tradebot scale workers 4"
    seen = []
    for name, count in (("redis", 2), ("worker", -1), ("worker", 101)):
        with pytest.raises(OpsError) as caught:
            scale(world.ops(), name, count, ignore_progress)
        seen.append(refusal(caught.value))
    number = "is not a number of replicas; it must be from 0 to 100."
    assert seen == [
        ("TB-0209", "redis cannot be scaled: the stack knows it as a single replica.", hint),
        ("TB-0203", f"-1 {number}", hint),
        ("TB-0203", f"101 {number}", hint),
    ]


def test_what_the_engine_prepares_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.engine, "prepare", lambda _, say: say("worker", "fetching its image"))
    events: list[ProgressEvent] = []
    scale(world.ops(), "workers", 5, events.append)
    assert ProgressEvent("worker", Phase.PREPARING, "fetching its image") in events


def test_sixteen_leave_at_the_same_time_for_each_may_take_as_long_as_its_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale(world.ops(), "workers", 17, ignore_progress)
    together, stop = threading.Barrier(16), world.engine.stop

    def waiting(replica: Replica, grace: float) -> None:
        together.wait(60)
        stop(replica, grace)

    monkeypatch.setattr(world.engine, "stop", waiting)
    scale(world.ops(), "workers", 1, ignore_progress)
    assert world.run() == ["other-1", "redis-1", "worker-1"]


def test_nobody_is_asked_what_workers_do_where_none_leaves(world: World) -> None:
    class Silent:
        """Whoever asks it learns nothing, and late."""

    vars(world)["api"] = Silent()
    scale(world.ops(), "workers", 3, ignore_progress)
    scale(world.ops(), "other", 2, ignore_progress)
    scale(world.ops(), "other", 1, ignore_progress)
    assert world.run() == ["other-1", "redis-1", "worker-1", "worker-2", "worker-3"]


def test_while_the_api_is_away_the_newest_leave(world: World) -> None:
    class Away:
        def workers(self) -> None:
            raise Unreachable("The API is away.", code="TB-0501")

    scale(world.ops(), "workers", 4, ignore_progress)
    vars(world)["api"] = Away()
    report = scale(world.ops(), "workers", 2, ignore_progress)
    assert isinstance(report.data, dict)
    assert report.data["removed"] == [
        {"name": name, "why": "its heartbeat is unknown"} for name in ("worker-4", "worker-3")
    ]
