"""How checks are run: prerequisites, what cannot be looked at, time, waivers, scores."""

import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.prodcheck.kit import make_check, make_stages, says
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, Fact, NotApplicable, Skip, fact
from tradebot_ops.model import Level
from tradebot_ops.prodcheck import runner
from tradebot_ops.prodcheck.check import Check, Severity, Verdict
from tradebot_ops.prodcheck.runner import Options, Result, Run, State
from tradebot_ops.prodcheck.waivers import Waiver, Waivers
from tradebot_ops.settings import load_settings

NONE = Waivers({})


def run(
    tmp_path: Path,
    checks: Sequence[Check],
    *,
    only: Sequence[Check] | None = None,
    waivers: Waivers = NONE,
    env: str = "dev",
    shown: list[Result] | None = None,
    **options: Any,
) -> Run:
    ops = Ops(load_settings({"env": env}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    seen: list[Result] = [] if shown is None else shown
    return runner.run(
        ops, make_stages(*checks), checks if only is None else only, waivers, Options(**options), seen.append
    )


def states(done: Run) -> dict[str, State]:
    return {result.check.id: result.state for result in done.results}


def test_every_level_becomes_its_state(tmp_path: Path) -> None:
    levels = [Level.PASS, Level.WARN, Level.FAIL, Level.SKIP, Level.ERROR]
    done = run(tmp_path, [make_check(f"AAA-0{n}", says(level)) for n, level in enumerate(levels)])
    assert list(states(done).values()) == [State.PASS, State.WARN, State.FAIL, State.SKIP, State.ERROR]


def test_what_could_not_be_looked_at_is_an_error_and_never_a_pass(tmp_path: Path) -> None:
    def away(ops: Ops) -> int:
        raise OpsError("Redis is away.", code="TB-0530", hint="tradebot restart redis")

    def none(ops: Ops) -> int:
        raise NotApplicable(Skip.ENGINE, "There are no containers.")

    facts: list[Fact[int]] = [Fact("redis", away), Fact("containers", none)]
    done = run(tmp_path, [make_check("AAA-01", asks=facts[:1]), make_check("AAA-02", asks=facts[1:])])
    error, skip = done.results
    assert (error.state, error.verdict.message, error.hint) == (
        State.ERROR,
        "Could not look: Redis is away.",
        "tradebot restart redis",
    )
    assert (skip.state, skip.verdict.skip, skip.verdict.message) == (
        State.SKIP,
        Skip.ENGINE,
        "There are no containers.",
    )


def test_a_judge_that_breaks_is_one_error(tmp_path: Path) -> None:
    def broken() -> Verdict:
        raise ZeroDivisionError("by nought")

    bad = Check("AAA-01", "t", broken, (), Severity.MAJOR, "s", "a", "r")
    assert states(run(tmp_path, [bad, make_check("AAA-02")])) == {"AAA-01": State.ERROR, "AAA-02": State.PASS}


@pytest.mark.parametrize("level", [Level.FAIL, Level.ERROR, Level.SKIP])
def test_a_broken_prerequisite_skips_what_needs_it_through_others_too(tmp_path: Path, level: Level) -> None:
    checks = [
        make_check("AAA-01", says(level)),
        make_check("BBB-01", needs=("AAA-01",)),
        make_check("BBB-02", needs=("BBB-01",)),
        make_check("BBB-03"),
    ]
    done = run(tmp_path, checks)
    assert list(states(done).values())[1:] == [State.SKIP, State.SKIP, State.PASS]
    assert done.results[1].verdict.message == "Needs AAA-01, which does not hold."
    assert done.results[1].verdict.skip is Skip.PREREQUISITE


def test_what_needs_a_check_that_was_skipped_is_skipped_for_the_same_reason(tmp_path: Path) -> None:
    def none(ops: Ops) -> int:
        raise NotApplicable(Skip.PROFILE, "The profile is not chosen.")

    unmonitored: Fact[int] = Fact("services", none)
    checks = [make_check("AAA-01", asks=[unmonitored]), make_check("BBB-01", needs=("AAA-01",))]
    verdict = run(tmp_path, checks).results[1].verdict
    assert verdict.skip is Skip.PROFILE
    assert verdict.message == "Needs AAA-01, which was skipped. The profile is not chosen."


def test_a_warning_is_enough_for_what_needs_it(tmp_path: Path) -> None:
    checks = [make_check("AAA-01", says(Level.WARN)), make_check("BBB-01", needs=("AAA-01",))]
    assert states(run(tmp_path, checks))["BBB-01"] is State.PASS


def test_a_prerequisite_that_was_not_chosen_is_judged_and_not_reported(tmp_path: Path) -> None:
    checks = [make_check("AAA-01", says(Level.FAIL)), make_check("BBB-01", needs=("AAA-01",))]
    done = run(tmp_path, checks, only=checks[1:])
    assert states(done) == {"BBB-01": State.SKIP}


def test_a_hanging_fact_ends_with_the_whole_time(tmp_path: Path) -> None:
    never = threading.Event()
    hanging: Fact[bool] = Fact("hangs", lambda ops: never.wait(60), seconds=60)
    began = time.monotonic()
    done = run(tmp_path, [make_check("AAA-01", asks=[hanging]), make_check("AAA-02")], timeout=0.3)
    assert time.monotonic() - began < 3
    assert states(done) == {"AAA-01": State.ERROR, "AAA-02": State.PASS}
    assert "time of the whole run" in done.results[0].verdict.message
    never.set()


def test_results_are_shown_as_they_end_and_reported_in_order(tmp_path: Path) -> None:
    go = threading.Event()
    slow: Fact[bool] = Fact("slow", lambda ops: go.wait(10), seconds=10)
    checks = [make_check("AAA-01", asks=[slow]), make_check("AAA-02")]
    shown: list[Result] = []

    class Opening(list[Result]):
        def append(self, result: Result) -> None:
            shown.append(result)
            go.set()

    done = run(tmp_path, checks, shown=Opening())
    assert [result.check.id for result in shown] == ["AAA-02", "AAA-01"]
    assert [result.check.id for result in done.results] == ["AAA-01", "AAA-02"]


def test_an_environment_takes_a_check_less_seriously(tmp_path: Path) -> None:
    check = make_check(verdict=says(Level.FAIL), at_most={"dev": Level.WARN})
    assert states(run(tmp_path, [check]))["AAA-01"] is State.WARN
    assert states(run(tmp_path, [check], env="prod"))["AAA-01"] is State.FAIL
    error = make_check(verdict=says(Level.ERROR), at_most={"dev": Level.WARN})
    assert states(run(tmp_path, [error]))["AAA-01"] is State.ERROR


def test_a_waiver_covers_a_failure_and_not_a_look_that_broke(tmp_path: Path) -> None:
    waivers = Waivers({id_: Waiver(id_, "r", "o", date(2030, 1, 1)) for id_ in ("AAA-01", "AAA-02", "AAA-03")})
    checks = [make_check(f"AAA-0{n}", says(level)) for n, level in enumerate([Level.FAIL, Level.ERROR, Level.PASS], 1)]
    assert list(states(run(tmp_path, checks, waivers=waivers)).values()) == [State.WAIVED, State.ERROR, State.PASS]


def test_looking_again_repairs_what_needs_a_moment(tmp_path: Path) -> None:
    answers = iter([False, False, True])
    moment: Fact[bool] = Fact("moment", lambda ops: next(answers))
    first = Check(
        "AAA-01", "t", lambda ok: says(Level.PASS if ok else Level.FAIL), (moment,), Severity.MAJOR, "", "", ""
    )
    done = run(tmp_path, [first, make_check("BBB-01", needs=("AAA-01",))], retry_timeout=5, retry_sleep=0.01)
    assert states(done) == {"AAA-01": State.PASS, "BBB-01": State.PASS}
    assert done.retries == 2


def test_between_two_looks_a_run_waits_as_long_as_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=waits.append)
    monkeypatch.setattr(runner, "time", clock)
    answers = iter([False, False, True])
    moment: Fact[bool] = Fact("moment", lambda ops: next(answers))
    check = Check(
        "AAA-01", "t", lambda ok: says(Level.PASS if ok else Level.FAIL), (moment,), Severity.MAJOR, "", "", ""
    )
    assert states(run(tmp_path, [check], retry_timeout=60, retry_sleep=7)) == {"AAA-01": State.PASS}
    assert waits == [7, 7]


def test_no_look_is_begun_that_would_end_after_the_time(tmp_path: Path) -> None:
    done = run(tmp_path, [make_check("AAA-01", says(Level.FAIL))], retry_timeout=5, retry_sleep=60)
    assert (states(done), done.retries) == ({"AAA-01": State.FAIL}, 0)


def test_looking_again_asks_again_what_was_skipped_because_its_source_was_away(tmp_path: Path) -> None:
    there = iter([False, True])

    def ask(ops: Ops) -> bool:
        if not next(there):
            raise NotApplicable(Skip.PREREQUISITE, "Prometheus does not answer.")
        return True

    answers = iter([False, True])
    ready: Fact[bool] = Fact("ready", lambda ops: next(answers))
    first = Check(
        "AAA-01", "t", lambda ok: says(Level.PASS if ok else Level.FAIL), (ready,), Severity.MAJOR, "", "", ""
    )
    done = run(tmp_path, [first, make_check("BBB-01", asks=(Fact("gated", ask),))], retry_timeout=5, retry_sleep=0.01)
    assert states(done) == {"AAA-01": State.PASS, "BBB-01": State.PASS}


@pytest.mark.parametrize(
    ("levels", "score", "grade"),
    [
        ([Level.PASS], 100, "A"),
        ([Level.PASS, Level.SKIP], 100, "A"),
        ([Level.PASS, Level.WARN], 75, "C"),
        ([Level.PASS, Level.FAIL], 50, "F"),
        ([Level.PASS, Level.PASS, Level.PASS, Level.PASS, Level.PASS, Level.ERROR], 100 * 5 / 6, "C"),
        ([Level.SKIP], 0, "-"),
    ],
)
def test_the_score_weighs_what_was_judged(tmp_path: Path, levels: list[Level], score: float, grade: str) -> None:
    done = run(tmp_path, [make_check(f"AAA-{n:02}", says(level)) for n, level in enumerate(levels)])
    assert done.score == pytest.approx(score)
    assert done.grade == grade


def test_a_critical_check_weighs_three_times_a_minor_one(tmp_path: Path) -> None:
    checks = [
        make_check("AAA-01", says(Level.FAIL), severity=Severity.MINOR),
        make_check("AAA-02", severity=Severity.CRITICAL),
    ]
    assert run(tmp_path, checks).score == 75


def test_a_need_that_may_not_be_looked_at_holds_up_nobody(tmp_path: Path) -> None:
    """With --offline the check that writes is skipped; those that only read after it are judged."""

    @fact(effect=Effect.WRITES)
    def written(ops: Ops) -> str:
        raise AssertionError("written to")

    checks = (make_check("AAA-01", asks=(written,)), make_check("AAA-02", needs=("AAA-01",)))
    done = run(tmp_path, checks, without={Effect.WRITES})
    assert states(done) == {"AAA-01": State.SKIP, "AAA-02": State.PASS}
