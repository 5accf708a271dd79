"""Carrying out a plan: order, what a failure stops, and when patience begins."""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.clients.probe import ProbeResult
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unavailable
from tradebot_ops.operations.converge import execute, readiness
from tradebot_ops.operations.converge.engine_view import EngineView, Stopped
from tradebot_ops.operations.converge.execute import Outcome, converge, in_parallel
from tradebot_ops.progress import Phase, ProgressEvent
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.plan import Action, Step, plan
from tradebot_ops.stack.source import Source

COMPOSE = """
services:
  bad: {image: "bad:1", command: [bad], restart: "no"}
  slow: {image: "slow:1", command: [slow]}
  after: {image: "after:1", command: [after], depends_on: {slow: {condition: service_healthy}}}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE, encoding="utf-8")
    return load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")


class Slow(StubEngine):
    """``bad`` fails at once; ``slow`` starts only after that, with ``on_start``, and never gets ready."""

    def __init__(self, *, fails: bool = True, on_start: Callable[[], None] = lambda: None) -> None:
        super().__init__("demo")
        self._fails, self._on_start = fails, on_start
        self._failed = threading.Event()

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        if service == "bad" and self._fails:
            self._failed.set()
            raise OpsError("The image is missing.", code="TB-0826")
        if service == "slow":
            assert not self._fails or self._failed.wait(10)
            self._on_start()
        started = super().apply(stack, service, number)
        return self._seen(started)

    def list(self) -> tuple[Replica, ...]:
        return tuple(self._seen(found) for found in super().list())

    def _seen(self, found: Replica) -> Replica:
        return replace(found, state=State.STARTING) if self._fails and found.service == "slow" else found


def carry_out(engine: StubEngine, stack: Stack, view: EngineView) -> list[ProgressEvent]:
    events: list[ProgressEvent] = []
    engine.prepare(stack, lambda service, line: None)
    try:
        converge(stack, plan(stack, engine.list()).steps, view, {}, events.append)
    finally:
        view.stop()
    return events


def test_a_failure_elsewhere_makes_nobody_ready_and_starts_no_dependant(stack: Stack) -> None:
    events: list[ProgressEvent] = []
    engine = Slow()
    engine.prepare(stack, lambda service, line: None)
    view = EngineView(engine, patience=30)
    with pytest.raises(OpsError, match="image is missing"):
        converge(stack, plan(stack, engine.list()).steps, view, {}, events.append)
    assert [each.service for each in events if each.phase is Phase.FAILED] == ["bad"]
    assert not [each for each in events if each.phase is Phase.READY]
    assert "after" not in {replica.service for replica in engine.list()}


def test_patience_begins_when_the_engine_has_started_it(stack: Stack) -> None:
    """Pulling an image may take longer than a service may take to answer."""
    now = [0.0]

    def take_an_hour() -> None:
        now[0] += 3600

    engine = Slow(fails=False, on_start=take_an_hour)
    events = carry_out(engine, stack, EngineView(engine, patience=5, clock=lambda: now[0]))
    assert {each.service for each in events if each.phase is Phase.READY} == {"bad", "slow", "after"}


def test_what_is_made_anew_is_left_to_the_engine(stack: Stack) -> None:
    """It stops the old one only when there is something to take its place: here the new one cannot be made."""
    engine = Slow(fails=False)
    carry_out(engine, stack, EngineView(engine, patience=5))
    engine._fails = True
    step = Step(Action.RECREATE, "bad", 1, "its description changed")
    with pytest.raises(OpsError, match="image is missing"):
        converge(stack, [step], EngineView(engine, patience=5), {}, lambda events: None)
    assert [one.state for one in engine.list() if one.service == "bad"] == [State.RUNNING]


PROFILED = """
services:
  core: {image: "core:1", command: [core]}
  bad: {image: "bad:1", command: [bad], profiles: [extra]}
  after: {image: "after:1", command: [after], profiles: [extra], depends_on: [core]}
"""


@pytest.mark.parametrize("needed", [False, True])
def test_a_failure_in_a_profile_ends_nobody_else_unless_the_core_needs_it(tmp_path: Path, needed: bool) -> None:
    path = tmp_path / "compose.yaml"
    text = PROFILED.replace("[core]}", "[core], depends_on: [bad]}", 1) if needed else PROFILED
    path.write_text(text, encoding="utf-8")
    source = Source((path,), tmp_path, "a test")
    stack = load(source, {}, project="demo", profiles=["extra"], cache=tmp_path / "cache")
    engine = Slow()
    events: list[ProgressEvent] = []
    engine.prepare(stack, lambda service, line: None)
    steps = plan(stack, engine.list()).steps
    if needed:
        with pytest.raises(OpsError, match="image is missing"):
            converge(stack, steps, EngineView(engine, patience=5), {}, events.append)
        return
    outcome = converge(stack, steps, EngineView(engine, patience=5), {}, events.append)
    assert {each.service: each.phase for each in events} == {
        "core": Phase.READY,
        "bad": Phase.FAILED,
        "after": Phase.READY,
    }
    assert list(outcome.failed) == ["bad"]
    with pytest.raises(OpsError, match="image is missing"):  # for who asked for this very service
        outcome.check()


# One step at a time


class Noting(StubEngine):
    """Keeps the grace that each replica was given; ``restarts`` is what those that start have behind them."""

    def __init__(self, *, restarts: int = 0, refuses: str = "", error: Exception | None = None) -> None:
        super().__init__("demo")
        self.graces: list[tuple[str, float]] = []
        self._restarts, self._refuses, self._error = restarts, refuses, error

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        if service == self._refuses and self._error is not None:
            raise self._error
        return replace(super().apply(stack, service, number), restarts=self._restarts)

    def list(self) -> tuple[Replica, ...]:
        return tuple(replace(found, restarts=self._restarts) for found in super().list())

    def stop(self, replica: Replica, grace: float) -> None:
        self.graces.append((replica.id, grace))
        super().stop(replica, grace)


def described(folder: Path, text: str, **options: Any) -> Stack:
    path = folder / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    return load(Source((path,), folder, "a test"), {}, project="demo", cache=folder / "cache", **options)


def done(
    engine: StubEngine, stack: Stack, steps: Sequence[Step] | None = None, view: EngineView | None = None
) -> tuple[Outcome, list[ProgressEvent]]:
    events: list[ProgressEvent] = []
    engine.prepare(stack, lambda service, line: None)
    steps = plan(stack, engine.list()).steps if steps is None else steps
    return converge(stack, steps, view or EngineView(engine, patience=5), {}, events.append), events


def last(events: Sequence[ProgressEvent]) -> dict[str, Phase]:
    return {event.service: event.phase for event in events}


TWO = """
services:
  app: {image: "app:1", command: [app], stop_grace_period: 21s, x-tradebot: {scalable: true}, deploy: {replicas: 2}}
  once: {image: "once:1", command: [once], restart: "no"}
  after: {image: "a:1", command: [a], depends_on: {once: {condition: service_completed_successfully}}}
"""


def test_each_service_ends_as_what_it_is(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    assert last(done(engine, stack)[1]) == {"app": Phase.READY, "once": Phase.DONE, "after": Phase.READY}
    assert last(done(engine, stack)[1]) == dict.fromkeys(("app", "once", "after"), Phase.UNCHANGED)


def test_a_service_with_one_replica_more_is_not_unchanged(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    done(engine, stack)
    engine.stop(engine.list()[2], 1)
    engine.remove(engine.list()[2])
    engine.recording.clear()
    assert last(done(engine, stack)[1]) == {"app": Phase.READY, "once": Phase.UNCHANGED, "after": Phase.UNCHANGED}
    assert [subject for verb, subject in engine.recording if verb == "apply"] == ["app-2"]


def test_a_task_that_is_to_stay_as_it_is_is_not_waited_for(tmp_path: Path) -> None:
    """It may have been removed since it ended."""
    stack = described(tmp_path, TWO)
    step = Step(Action.NOTHING, "once", 1, "")
    assert last(done(Noting(), stack, [step])[1]) == {"once": Phase.UNCHANGED}


def test_what_leaves_gets_its_own_time_and_is_gone_afterwards(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    done(engine, stack)
    view = EngineView(engine, patience=5, clock=lambda: 0.0)  # it looks once, and again only if it has to
    assert view.replica("app", 2) is not None
    steps = [Step(Action.REMOVE, "app", 2, "too many"), Step(Action.REMOVE, "gone", 1, "an orphan")]
    _, events = done(engine, stack, [*steps, Step(Action.NOTHING, "app", 1, "")], view)
    assert engine.graces == [("app-2", 21.0)]
    assert ("remove", "app-2") in engine.recording
    assert [(each.phase, each.service) for each in events[:2]] == [(Phase.STOPPING, "app"), (Phase.REMOVED, "app")]
    assert view.replica("app", 2) is None


def test_what_is_described_no_more_is_removed_first(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    done(engine, stack)
    without = described(tmp_path, TWO.replace("  after:", "  another:"))
    steps = [Step(Action.REMOVE, "after", 1, "an orphan"), Step(Action.CREATE, "another", 1, "new")]
    _, events = done(engine, without, steps)
    assert [event.service for event in events if event.phase is Phase.REMOVED] == ["after"]
    assert engine.graces == [("after-1", 10.0)]
    verbs = [(verb, subject) for verb, subject in engine.recording if verb in {"stop", "remove", "apply"}]
    assert verbs[-3:] == [("stop", "after-1"), ("remove", "after-1"), ("apply", "another-1")]


def test_a_restart_stops_with_the_time_of_the_service(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    done(engine, stack)
    engine.recording.clear()
    done(engine, stack, [Step(Action.RESTART, "app", 1, "asked for")])
    assert engine.graces == [("app-1", 21.0)]
    assert [verb for verb, _ in engine.recording if verb != "prepare"] == ["stop", "apply"]


def test_a_reload_is_a_signal_where_it_runs_and_a_start_where_it_does_not(tmp_path: Path) -> None:
    text = "services:\n  app: {image: 'a:1', command: [a], x-tradebot: {reload: SIGHUP}}\n"
    engine, stack = Noting(), described(tmp_path, text)
    step = Step(Action.RELOAD, "app", 1, "its files changed")
    done(engine, stack, [step])
    assert [verb for verb, _ in engine.recording if verb != "prepare"] == ["apply"]
    engine.recording.clear()
    done(engine, stack, [step])
    assert [one for one in engine.recording if one[0] != "prepare"] == [("signal", "app-1 SIGHUP")]


@pytest.mark.parametrize("condition", ["service_started", "service_healthy"])
def test_who_depends_on_another_starts_once_that_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    """Here the one that waits is written first, and its dependency is not ready before somebody has waited for it."""
    text = f"""
services:
  a: {{image: "a:1", command: [a], depends_on: {{b: {{condition: {condition}}}}}}}
  b: {{image: "b:1", command: [b]}}
"""
    monkeypatch.setattr(execute, "PAUSE_SECONDS", 0.001)

    class Late(Noting):
        starting = True

        def list(self) -> tuple[Replica, ...]:
            return tuple(replace(each, state=State.STARTING) if self.starting else each for each in super().list())

        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            view.looks = 0
            if service == "a":
                waits.set()
                assert not self.starting, "it did not wait"
            return replace(
                super().apply(stack, service, number), state=State.STARTING if service == "b" else State.RUNNING
            )

    class Waiting(EngineView):
        """Who waits looks again and again whether another part failed; who starts looks once."""

        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 3:
                waits.set()
            super().check()

        def wait(self, seconds: float) -> None:
            assert waits.wait(30), "nobody waits, and nobody starts"
            engine.starting = False
            self.forget()

    waits = threading.Event()
    engine = Late()
    view = Waiting(engine, 5)
    stack = described(tmp_path, text)
    assert last(done(engine, stack, view=view)[1]) == {"a": Phase.READY, "b": Phase.READY}
    assert [subject for verb, subject in engine.recording if verb == "apply"] == ["b-1", "a-1"]


def test_a_dependency_that_is_not_part_of_it_is_not_waited_for(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    assert last(done(engine, stack, [Step(Action.CREATE, "after", 1, "asked for")])[1]) == {"after": Phase.READY}


# Crashes


@pytest.mark.parametrize("action", [Action.START, Action.NOTHING])
def test_restarts_before_this_start_do_not_count(tmp_path: Path, action: Action) -> None:
    engine, stack = Noting(restarts=7), described(tmp_path, TWO)
    done(engine, stack)
    assert last(done(engine, stack, [Step(action, "app", 1, "")])[1])["app"] in {Phase.READY, Phase.UNCHANGED}


def test_restarts_since_this_start_do(tmp_path: Path) -> None:
    class Crashing(Noting):
        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            return replace(super().apply(stack, service, number), restarts=7)

        def list(self) -> tuple[Replica, ...]:
            return tuple(replace(found, restarts=9) for found in super().list())

    stack = described(tmp_path, TWO)
    with pytest.raises(OpsError, match=r"keeps crashing \(9 restarts\)"):
        done(Crashing(), stack, [Step(Action.CREATE, "app", 1, "")])


@pytest.mark.parametrize(("action", "asked"), [(Action.CREATE, readiness.GOOD_SAMPLES), (Action.NOTHING, 1)])
def test_what_runs_already_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Action, asked: int
) -> None:
    samples = []

    def sample_of(*_: object) -> ProbeResult:
        samples.append(1)
        return ProbeResult(True, "answers", 0.0)

    text = "services:\n  app: {image: 'a:1', command: [a], x-tradebot: {probe: {protocol: tcp, port: 80}}}\n"
    engine, stack = Noting(), described(tmp_path, text)
    engine.prepare(stack, lambda service, line: None)
    if action is Action.NOTHING:
        engine.apply(stack, "app", 1)
    monkeypatch.setattr(readiness, "sample_of", sample_of)
    done(engine, stack, [Step(action, "app", 1, "")])
    assert len(samples) == asked


# What cannot run here

PROFILE = """
services:
  core: {image: "core:1", command: [core]}
  bad: {image: "bad:1", command: [bad], profiles: [extra]}
"""
MISSING = Unavailable("There is no such program here.", code="TB-0404")


def test_what_a_profile_cannot_run_here_is_said_and_is_no_failure(tmp_path: Path) -> None:
    stack = described(tmp_path, PROFILE, profiles=["extra"])
    outcome, events = done(Noting(refuses="bad", error=MISSING), stack)
    assert (outcome.unavailable, outcome.failed) == ({"bad": MISSING}, {})
    assert last(events) == {"core": Phase.READY, "bad": Phase.UNAVAILABLE}
    outcome.check()


def test_what_the_core_cannot_run_here_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such program"):
        done(Noting(refuses="core", error=MISSING), described(tmp_path, PROFILE, profiles=["extra"]))


def test_a_mistake_of_ours_is_raised_wherever_it_happens(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        done(Noting(refuses="bad", error=ZeroDivisionError()), described(tmp_path, PROFILE, profiles=["extra"]))


def test_a_crash_in_a_profile_is_never_taken_for_ready(tmp_path: Path) -> None:
    failure = OpsError("It crashed.", code="TB-0106")
    outcome, events = done(Noting(refuses="bad", error=failure), described(tmp_path, PROFILE, profiles=["extra"]))
    assert (outcome.unavailable, outcome.failed) == ({}, {"bad": failure})
    assert last(events) == {"core": Phase.READY, "bad": Phase.FAILED}


# At once


class Meeting(StubEngine):
    """Lets nobody finish its start before all have come: to the start itself, or to a gate that is shut."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("demo")
        self._all, self._come = len(names), set[int]()
        self._changed_here = threading.Condition()
        self.inside = dict.fromkeys(["core", "extra"], 0)
        self.most = dict.fromkeys(["core", "extra"], 0)

    def come(self) -> None:
        with self._changed_here:
            self._come.add(threading.get_ident())
            self._changed_here.notify_all()

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        kind = service.partition("-")[0]
        self.come()
        with self._changed_here:
            self.inside[kind] += 1
            self.most[kind] = max(self.most[kind], self.inside[kind])
            assert self._changed_here.wait_for(lambda: len(self._come) >= self._all, 20)
        started = super().apply(stack, service, number)
        with self._changed_here:
            self.inside[kind] -= 1
        return started


def test_so_many_start_at_once_and_a_profile_holds_up_no_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{kind}-{number}" for kind in ("core", "extra") for number in range(12)]
    lines = [
        f"  {name}: {{image: 'a:1', command: [a]{', profiles: [extra]' if name.startswith('extra') else ''}}}"
        for name in names
    ]
    engine = Meeting(names)

    class Gate(threading.Semaphore):
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            if super().acquire(blocking=False):
                return True
            if timeout is None:  # pools of threads have semaphores, too, and never wait at them
                engine.come()
            return super().acquire(blocking, timeout)

        __enter__ = acquire

    monkeypatch.setattr(threading, "Semaphore", Gate)
    stack = described(tmp_path, "\n".join(["services:", *lines]), profiles=["extra"])
    assert set(last(done(engine, stack)[1]).values()) == {Phase.READY}
    assert engine.most == {"core": 4, "extra": 8}


def test_after_a_failure_nothing_more_is_started(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    view = EngineView(engine, patience=5)
    view.stop()
    with pytest.raises(Stopped):
        done(engine, stack, view=view)
    assert [verb for verb, _ in engine.recording] == ["prepare"]


def test_the_failure_is_raised_and_not_who_gave_up_because_of_it() -> None:
    gave_up = threading.Event()

    def give_up() -> None:
        assert gave_up.wait(20)
        raise Stopped

    def fail() -> None:
        raise OpsError("It broke.", code="TB-0106")

    with pytest.raises(OpsError, match="It broke"):
        in_parallel([give_up, fail], gave_up.set)


def test_those_that_end_well_stop_nobody() -> None:
    stopped: list[int] = []
    ran: list[int] = []
    in_parallel([lambda: ran.append(1), lambda: ran.append(2)], lambda: stopped.append(1))
    in_parallel([], lambda: stopped.append(1))
    assert (sorted(ran), stopped) == ([1, 2], [])


def test_what_the_engine_returned_is_known_before_it_is_asked_again(tmp_path: Path) -> None:
    """A list that is fresh enough would lack what was started after it."""
    engine, stack = Noting(), described(tmp_path, PROFILE)
    clock = itertools.count(0.0, 0.0001).__next__
    view = EngineView(engine, patience=0.02, clock=clock)
    assert view.replica("core", 1) is None
    assert last(done(engine, stack, view=view)[1]) == {"core": Phase.READY}


def test_while_it_works_the_engine_announces_what_changes(tmp_path: Path) -> None:
    class Announcing(Noting):
        def __init__(self) -> None:
            super().__init__()
            self.notes: list[str] = []

        def announce(self, listener: Callable[[], None]) -> Callable[[], None]:
            self.notes.append("subscribed")
            return lambda: self.notes.append("unsubscribed")

        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            self.notes.append(service)
            return super().apply(stack, service, number)

    engine = Announcing()
    done(engine, described(tmp_path, PROFILE))
    assert engine.notes == ["subscribed", "core", "unsubscribed"]


def test_a_dependency_is_waited_for_behind_one_that_is_not_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
services:
  away: {image: "w:1", command: [w]}
  b: {image: "b:1", command: [b]}
  a: {image: "a:1", command: [a], depends_on: [away, b]}
"""
    monkeypatch.setattr(execute, "PAUSE_SECONDS", 0.001)
    waits, made = threading.Event(), set[str]()

    class Slowly(Noting):
        """Starts ``b`` only once ``a`` waits for it, or has started without it."""

        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            if service == "a":
                waits.set()
                assert "b" in made, "it did not wait"
            view.looks = 0
            assert waits.wait(30), "nobody waits, and nobody starts"
            made.add(service)
            return super().apply(stack, service, number)

    class Looking(EngineView):
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 3:
                waits.set()
            super().check()

    engine, stack = Slowly(), described(tmp_path, text)
    view = Looking(engine, 5)
    steps = [Step(Action.CREATE, name, 1, "asked for") for name in ("b", "a")]
    assert last(done(engine, stack, steps, view)[1]) == {"a": Phase.READY, "b": Phase.READY}


def test_what_is_gone_already_keeps_nobody_else(tmp_path: Path) -> None:
    engine, stack = Noting(), described(tmp_path, TWO)
    engine.prepare(stack, lambda service, line: None)
    engine.apply(stack, "after", 1)
    steps = [Step(Action.REMOVE, "gone", 7, "too many"), Step(Action.REMOVE, "gone", 1, "too many")]
    (found,) = engine.list()
    vars(engine)["_replicas"]["gone-1"] = replace(found, service="gone", id="gone-1")
    _, events = done(engine, stack, steps)
    assert [each.service for each in engine.list()] == ["after"]
    assert events == [
        ProgressEvent("gone", Phase.STOPPING, "too many"),
        ProgressEvent("gone", Phase.REMOVED, "too many"),
    ]


def test_what_is_to_stay_and_is_gone_is_not_ready(tmp_path: Path) -> None:
    stack = described(tmp_path, TWO)
    engine = Noting()
    engine.prepare(stack, lambda service, line: None)
    with pytest.raises(OpsError, match="was not ready in time: it was not seen yet") as caught:
        done(engine, stack, [Step(Action.NOTHING, "after", 1, "")], view=EngineView(engine, 0))
    assert caught.value.code == "TB-0603"


def test_of_several_replicas_one_that_fails_ends_the_waiting_for_the_others(tmp_path: Path) -> None:
    text = """
services:
  core: {image: "c:1", command: [c], deploy: {replicas: 2}, x-tradebot: {scalable: true}}
"""
    waits, told = threading.Event(), list[bool]()

    class Failing(Noting):
        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            if number == 1:
                assert waits.wait(30)
                raise OpsError("The image is missing.", code="TB-0826")
            return replace(super().apply(stack, service, number), state=State.STARTING)

        def list(self) -> tuple[Replica, ...]:
            return tuple(replace(each, state=State.STARTING) for each in super().list())

    class Waiting(EngineView):
        def wait(self, seconds: float) -> None:
            waits.set()
            with self._changed:
                told.append(self._changed.wait_for(lambda: self._stopped, 30))
            self.check()
            raise AssertionError("nobody ended its waiting")

    engine, stack = Failing(), described(tmp_path, text)
    engine.prepare(stack, lambda service, line: None)
    view = Waiting(engine, 3600)
    with pytest.raises(OpsError, match="image is missing"):
        done(engine, stack, view=view)
    assert told == [True], "it waited on although the other had failed"


@pytest.mark.parametrize(
    ("error", "phase"),
    [
        (Unavailable("It cannot run here.", code="TB-0824"), Phase.UNAVAILABLE),
        (OpsError("It broke.", code="TB-0106"), Phase.FAILED),
    ],
)
def test_whoever_looks_on_is_told_why(tmp_path: Path, error: OpsError, phase: Phase) -> None:
    class Broken(Noting):
        def apply(self, stack: Stack, service: str, number: int) -> Replica:
            raise error

    path = tmp_path / "compose.yaml"
    path.write_text("services: {extra: {image: e, command: [e], profiles: [more]}}", encoding="utf-8")
    stack = load(Source((path,), tmp_path, "a test"), {}, project="demo", profiles=["more"], cache=tmp_path / "cache")
    engine = Broken()
    _, events = done(engine, stack, [Step(Action.CREATE, "extra", 1, "does not exist yet")])
    assert events == [
        ProgressEvent("extra", Phase.STARTING, "does not exist yet"),
        ProgressEvent("extra", phase, str(error)),
    ]
