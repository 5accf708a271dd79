"""What the threads of one operation share: how old the engine's list may be, and how they give up together."""

import threading
from collections.abc import Callable

import pytest

from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.converge.engine_view import ANNOUNCED_SECONDS, ASKED_SECONDS, EngineView, Stopped

OLD, NEW = (Replica("app", 1, "app-1", "app-1", state) for state in (State.STARTING, State.RUNNING))


class Engine(StubEngine):
    """Counts how often it is asked for its list."""

    def __init__(self) -> None:
        super().__init__("demo")
        self.asked = 0
        self.found = OLD

    def list(self) -> tuple[Replica, ...]:
        self.asked += 1
        return (self.found,)


class Announcing(Engine):
    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[], None]] = []

    def announce(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def viewed(engine: Engine) -> tuple[EngineView, Clock]:
    clock = Clock()
    return EngineView(engine, 30, clock), clock


def test_a_list_is_shared_until_it_is_too_old() -> None:
    engine = Engine()
    view, clock = viewed(engine)
    assert (view.replica("app", 1), view.replica("app", 2), view.replica("other", 1)) == (OLD, None, None)
    clock.now += ASKED_SECONDS - 0.001
    assert view.replica("app", 1) == OLD
    assert engine.asked == 1
    engine.found = NEW
    clock.now += 0.001
    assert view.replica("app", 1) == NEW
    assert engine.asked == 2


def test_an_engine_that_announces_changes_is_asked_more_seldom_while_it_is_watched() -> None:
    engine = Announcing()
    view, clock = viewed(engine)
    with view.watched():
        view.replica("app", 1)
        clock.now += ANNOUNCED_SECONDS - 0.001
        view.replica("app", 1)
        assert engine.asked == 1
        engine.found = NEW
        engine.listeners[0]()
        assert view.replica("app", 1) == NEW
        clock.now += ANNOUNCED_SECONDS
        view.replica("app", 1)
        assert engine.asked == 3
    assert engine.listeners == []
    clock.now += ASKED_SECONDS
    view.replica("app", 1)
    assert engine.asked == 4


def test_one_that_cannot_announce_is_asked_as_often_as_before() -> None:
    engine = Engine()
    view, clock = viewed(engine)
    with view.watched():
        view.replica("app", 1)
        clock.now += ASKED_SECONDS
        view.replica("app", 1)
    assert engine.asked == 2


def test_the_age_of_a_list_counts_from_the_question() -> None:
    """What changes while it is answered is asked for again."""
    engine = Engine()
    view, clock = viewed(engine)
    answer = engine.list

    def slow() -> tuple[Replica, ...]:
        clock.now += ASKED_SECONDS
        return answer()

    engine.list = slow  # type: ignore[method-assign]
    view.replica("app", 1)
    view.replica("app", 1)
    assert engine.asked == 2


def test_what_was_just_done_is_known_without_asking() -> None:
    engine = Engine()
    view, _ = viewed(engine)
    view.replica("app", 1)
    view.saw(NEW)
    assert (view.replica("app", 1), engine.asked) == (NEW, 1)
    view.forget()
    assert (view.replica("app", 1), engine.asked) == (OLD, 2)


def test_once_another_part_failed_nobody_waits() -> None:
    view, _ = viewed(Engine())
    view.check()
    view.pause(0)
    view.wait(0)
    view.stop()
    for wait in (view.check, lambda: view.pause(600), lambda: view.wait(600)):
        with pytest.raises(Stopped):
            wait()


@pytest.mark.parametrize("waiting", ["pause", "wait"])
def test_a_failure_ends_a_wait_that_has_begun(waiting: str) -> None:
    view, _ = viewed(Engine())
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(Stopped):
            getattr(view, waiting)(600)
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    view.stop()
    assert ended.wait(20)


def test_news_end_a_wait_but_no_pause() -> None:
    view, _ = viewed(Engine())
    woken: list[str] = []

    def run(name: str, act: Callable[[float], None], seconds: float) -> threading.Thread:
        def wait() -> None:
            act(seconds)
            woken.append(name)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return thread

    paused = run("paused", view.pause, 0.3)
    waited = run("waited", view.wait, 600)
    while waited.is_alive():
        view.forget()
        waited.join(0.01)
    assert woken[0] == "waited"
    paused.join(20)
    assert woken == ["waited", "paused"]


def test_a_list_is_a_second_old_at_most_and_a_quarter_where_nothing_is_announced() -> None:
    assert (ANNOUNCED_SECONDS, ASKED_SECONDS) == (1.0, 0.25)


def test_threads_that_ask_at_once_ask_the_engine_once() -> None:
    """Each of fifty replicas has a thread that waits."""
    asked, tried = list[int](), list[int]()
    moved, goes_on = threading.Condition(), threading.Event()

    def note(what: list[int]) -> None:
        with moved:
            what.append(1)
            moved.notify_all()

    class Slow(StubEngine):
        def list(self) -> tuple[Replica, ...]:
            note(asked)
            assert goes_on.wait(30)
            return super().list()

    class Noted:
        """A lock that notes who comes to it."""

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __enter__(self) -> None:
            note(tried)
            self.lock.acquire()

        def __exit__(self, *_: object) -> None:
            self.lock.release()

    view = EngineView(Slow("demo"), 5, clock=lambda: 1000.0)
    vars(view)["_asking"] = Noted()
    threads = [threading.Thread(target=view.replica, args=("app", number), daemon=True) for number in (1, 2)]
    for thread in threads:
        thread.start()
    with moved:
        assert moved.wait_for(lambda: len(tried) == 2 or len(asked) == 2, 30)
    goes_on.set()
    for thread in threads:
        thread.join(30)
    assert len(asked) == 1
