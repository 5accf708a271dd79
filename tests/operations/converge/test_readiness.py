"""When a replica is ready, and what ends the waiting: decided from facts and a clock that are handed in."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.clients.probe import ProbeResult
from tradebot_ops.engines.base import Health, LogLine, LogQuery, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.converge import readiness
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.readiness import GOOD_SAMPLES, last_lines, until_ready
from tradebot_ops.stack.model import Healthcheck, Probe, Service, Stack

PROBED = Service("app", "app:1", ("run",), probe=Probe("tcp", 80))
PLAIN = Service("app", "app:1", ("run",))
ONCE = Service("app", "app:1", ("run",), one_shot=True, restart="no")
UP = Replica("app", 1, "id", "app-1", State.RUNNING)


class Watched(EngineView):
    """Shows the replicas one after another, the last for ever; every pause lasts a second of its own clock."""

    def __init__(self, replicas: Iterable[Replica | None], patience: float = 60.0) -> None:
        self.now = 0.0
        super().__init__(StubEngine("demo"), patience, clock=lambda: self.now)
        self._replicas = list(replicas)
        self.pauses: list[tuple[str, float]] = []

    def replica(self, service: str, number: int) -> Replica | None:
        return self._replicas.pop(0) if len(self._replicas) > 1 else self._replicas[0]

    def pause(self, seconds: float) -> None:
        self.pauses.append(("pause", seconds))
        self.now += 1

    def wait(self, seconds: float) -> None:
        self.pauses.append(("wait", seconds))
        self.now += 1


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the replica answers, one after another; each that was asked for is taken out."""
    given: list[bool] = []

    def sample_of(*_: object) -> ProbeResult:
        ok = given.pop(0)
        return ProbeResult(ok, "answers" if ok else "refuses", 0.0)

    monkeypatch.setattr(readiness, "sample_of", sample_of)
    return given


def test_several_good_answers_in_a_row_make_it_ready(answers: list[bool]) -> None:
    answers += [False, True, True, False, True, True, True, True]
    assert GOOD_SAMPLES == 3
    assert until_ready(Watched([UP]), PROBED, 1) == "answers"
    assert answers == [True], "asked once too often or too seldom"


def test_what_cannot_be_asked_is_ready_when_it_runs(answers: list[bool]) -> None:
    answers += [True, True]
    assert until_ready(Watched([None, replace(UP, state=State.STARTING), UP]), PLAIN, 1) == "answers"
    assert answers == [True]


def test_patience_ends(answers: list[bool]) -> None:
    answers += [False] * 20
    view = Watched([UP], patience=5)
    with pytest.raises(OpsError, match="app 1 was not ready in time: refuses") as caught:
        until_ready(view, PROBED, 1)
    assert caught.value.code == "TB-0603"
    assert view.now == 5


def test_patience_ends_for_what_never_runs(answers: list[bool]) -> None:
    with pytest.raises(OpsError, match="not ready in time: its state is starting"):
        until_ready(Watched([replace(UP, state=State.STARTING)], patience=5), PROBED, 1)
    with pytest.raises(OpsError, match="not ready in time: it was not seen yet"):
        until_ready(Watched([None], patience=5), PROBED, 1)


def test_a_task_is_done_when_it_ended_well_and_only_then(answers: list[bool]) -> None:
    done = replace(UP, state=State.EXITED, exit_code=0)
    assert until_ready(Watched([UP, UP, done]), ONCE, 1) == "finished with exit code 0"
    with pytest.raises(OpsError, match="app failed with exit code 3") as caught:
        until_ready(Watched([UP, replace(done, exit_code=3)]), ONCE, 1)
    assert caught.value.code == "TB-0106"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (replace(UP, state=State.FAILED, exit_code=1), "app 1 cannot start: exit code 1"),
        (replace(UP, state=State.FAILED, exit_code=137, oom_killed=True), "ran out of memory"),
        (replace(UP, state=State.RESTARTING, restarts=2, exit_code=1), r"keeps crashing \(2 restarts\): exit code 1"),
        (replace(UP, state=State.EXITED, exit_code=0), "app 1 ended: exit code 0"),
    ],
)
def test_what_will_not_get_better_is_given_up_at_once(answers: list[bool], found: Replica, words: str) -> None:
    view = Watched([found])
    with pytest.raises(OpsError, match=words) as caught:
        until_ready(view, replace(PROBED, restart="no"), 1)
    assert caught.value.code == "TB-0106"
    assert view.now == 0


def test_crashes_of_an_earlier_start_do_not_count(answers: list[bool]) -> None:
    answers += [True] * 3
    assert until_ready(Watched([replace(UP, restarts=6)]), PROBED, 1, crashes_before=5) == "answers"
    with pytest.raises(OpsError, match="keeps crashing"):
        until_ready(Watched([replace(UP, restarts=7)]), PROBED, 1, crashes_before=5)


def test_what_is_started_again_after_its_end_may_still_get_ready(answers: list[bool]) -> None:
    answers += [True] * 3
    ended = replace(UP, state=State.EXITED, exit_code=1)
    assert until_ready(Watched([ended, UP]), replace(PROBED, restart="always"), 1) == "answers"


CHECKED = Service("app", "app:1", ("run",), healthcheck=Healthcheck(("CMD", "ask"), interval=10, retries=2))


def test_a_health_check_that_passes_makes_it_ready(answers: list[bool]) -> None:
    answers += [False, False, True, True]
    assert until_ready(Watched([UP]), CHECKED, 1) == "answers"
    assert answers == [True]


def test_a_health_check_that_failed_as_often_as_it_may_is_given_up(answers: list[bool]) -> None:
    answers += [False] * 40
    view = Watched([UP])
    with pytest.raises(OpsError, match="app 1 is unhealthy: refuses") as caught:
        until_ready(view, CHECKED, 1)
    assert (caught.value.code, caught.value.exit_code) == ("TB-0106", 1)
    assert view.now == 20


def test_where_the_engine_runs_the_check_its_verdict_counts(answers: list[bool]) -> None:
    answers += [False, False, False]
    starting, unhealthy = (replace(UP, health=health) for health in (Health.STARTING, Health.UNHEALTHY))
    view = Watched([starting, starting, unhealthy])
    with pytest.raises(OpsError, match="app 1 is unhealthy"):
        until_ready(view, replace(CHECKED, healthcheck=None), 1)
    assert view.now == 2


@pytest.mark.parametrize(("health", "ended"), [(Health.STARTING, 60), (Health.UNHEALTHY, 0)])
def test_its_verdict_counts_also_beside_the_terms_of_the_check(
    answers: list[bool], health: Health, ended: float
) -> None:
    """Whether it failed often enough the engine knows: from here not each run of it is seen."""
    answers += [False] * 100
    view = Watched([replace(UP, health=health)])
    with pytest.raises(OpsError, match="app 1 (is unhealthy|was not ready in time)"):
        until_ready(view, CHECKED, 1)
    assert view.now == ended


def test_a_health_check_has_its_own_time_to_start_before_failures_count(answers: list[bool]) -> None:
    answers += [False] * 40
    check = Healthcheck(("CMD", "ask"), interval=10, retries=2, start_period=7)
    view = Watched([UP])
    with pytest.raises(OpsError, match="app 1 is unhealthy"):
        until_ready(view, replace(CHECKED, healthcheck=check), 1)
    assert view.now == 27


@pytest.mark.parametrize(
    ("service", "pause"),
    [
        (PROBED, 0.1),
        (PLAIN, 0.1),
        (CHECKED, 1.0),
        (replace(CHECKED, healthcheck=Healthcheck(("CMD", "ask"), interval=0.5)), 0.5),
        (replace(CHECKED, healthcheck=Healthcheck(("CMD", "ask"), start_interval=0.01)), 0.1),
        (replace(CHECKED, healthcheck=Healthcheck(("CMD", "ask"), interval=30, start_interval=0.25)), 0.25),
        # Its probe is asked, not its check.
        (replace(CHECKED, probe=Probe("tcp", 80)), 0.1),
    ],
)
def test_how_long_it_waits_between_two_questions(answers: list[bool], service: Service, pause: float) -> None:
    answers += [False, True, True, True]
    view = Watched([None, UP])
    until_ready(view, service, 1)
    good = [("pause", 0.05)] * (2 if service.probe else 0)
    assert view.pauses == [("wait", 0.1), ("pause", pause), *good]


def test_a_check_that_its_probe_outranks_gives_nothing_up(answers: list[bool]) -> None:
    answers += [False] * 3 + [True] * 3
    unhealthy = replace(UP, health=Health.UNHEALTHY)
    assert until_ready(Watched([unhealthy]), replace(PROBED, healthcheck=CHECKED.healthcheck), 1) == "answers"


def test_the_last_lines_come_with_the_failure(answers: list[bool]) -> None:
    view = Watched([replace(UP, state=State.FAILED, exit_code=1)])
    assert isinstance(view.engine, StubEngine)
    stack = Stack("demo", Path(), (), {"app": PLAIN})
    view.engine.prepare(stack, lambda service, line: None)
    view.engine.apply(stack, "app", 1)
    for number in range(40):
        view.engine.say("app", 1, f"line {number}")
    with pytest.raises(OpsError) as caught:
        until_ready(view, PLAIN, 1)
    assert caught.value.detail == tuple(f"line {number}" for number in range(25, 40))
    assert last_lines(view.engine, "app", 1, 2) == ("line 38", "line 39")


def test_only_as_much_of_a_log_is_read_as_is_shown() -> None:
    class Endless(StubEngine):
        def logs(self, query: LogQuery) -> Iterator[LogLine]:
            assert (query.services, query.number, query.tail, query.follow) == (("app",), 1, 15, False)
            yield LogLine("app", 1, "the end", None)

    assert last_lines(Endless("demo"), "app", 1) == ("the end",)


def test_a_log_that_cannot_be_read_hides_nothing() -> None:
    class Silent(StubEngine):
        def logs(self, query: LogQuery) -> Iterator[LogLine]:
            raise OpsError("The driver keeps none.", code="TB-0110")

    assert last_lines(Silent("demo"), "app", 1) == ("(its log cannot be read: The driver keeps none.)",)


def test_what_to_do_comes_with_each_failure(answers: list[bool]) -> None:
    class Telling(StubEngine):
        """Replica 2 of app tells in its log of a damage that is known."""

        def logs(self, query: LogQuery) -> Iterator[LogLine]:
            lines = ["Bad file format reading the append only file"] if query.number == 2 else ["no idea"]
            assert query.services == ("app",)
            yield from (LogLine("app", query.number or 0, text, None) for text in lines)

    def ended(number: int, found: Replica, patience: float = 60.0) -> OpsError:
        view = Watched([replace(found, number=number)], patience)
        view.engine = Telling("demo")
        with pytest.raises(OpsError) as caught:
            until_ready(view, PROBED, number)
        return caught.value

    broken = replace(UP, state=State.FAILED)
    one, two = ended(1, broken), ended(2, broken)
    assert (one.message, one.hint) == (
        "app 1 cannot start: its last lines show why.",
        "tradebot logs app --tail 50",
    )
    assert one.detail == ("no idea",)
    assert "redis-check-aof" in two.hint
    assert two.detail == ("Bad file format reading the append only file",)
    late = ended(2, replace(UP, state=State.STARTING), patience=1)
    assert late.detail == two.detail
    assert late.hint == "tradebot logs app --tail 50; or give it longer: --timeout 600"
