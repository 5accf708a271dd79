"""Run checks: ask all their facts at once, judge each as soon as its facts and prerequisites are known."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, NotHere, Skip, Unknown
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Check, Stage, Verdict, skipped
from tradebot_ops.prodcheck.waivers import Waiver, Waivers

#: How long a run waits before it looks again at what failed, where ``--sleep`` does not say.
RETRY_SLEEP = 2.0


class State(StrEnum):
    """The result of one check. ``ERROR``: nobody could look; it counts as a failure."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"
    WAIVED = "waived"

    @property
    def holds(self) -> bool:
        """Whether checks that need this one can be judged."""
        return self in {State.PASS, State.WARN}


@dataclass(frozen=True)
class Result:
    """One check, judged. ``seconds`` is how long its slowest fact took."""

    stage: Stage
    check: Check
    state: State
    verdict: Verdict
    seconds: float = 0.0
    waiver: Waiver | None = None

    @property
    def hint(self) -> str:
        return self.verdict.hint or self.check.remedy

    @property
    def anchor(self) -> str:
        return self.verdict.anchor or self.check.anchor


@dataclass(frozen=True)
class Run:
    """One run: results in the order of the stages."""

    results: tuple[Result, ...]
    started: datetime
    seconds: float
    env: str
    waivers: Waivers
    retries: int = 0

    def count(self, state: State) -> int:
        return sum(result.state is state for result in self.results)

    @property
    def score(self) -> float:
        """0 to 100: 100 × Σ weight·value / Σ weight over what was judged; a pass is 1, a warning ½, a failure 0.

        A waived failure stays a failure here: a waiver keeps the exit code, not the score.
        """
        judged = [result for result in self.results if result.state is not State.SKIP]
        weight = sum(result.check.severity for result in judged)
        value = sum(_VALUE.get(result.state, 0.0) * result.check.severity for result in judged)
        return 100 * value / weight if weight else 0.0

    @property
    def grade(self) -> str:
        """A from 95, B from 85, C from 75, D from 60, else F; "-" where nothing could be judged."""
        if not any(result.state is not State.SKIP for result in self.results):
            return "-"
        return next((grade for least, grade in _GRADES if self.score >= least), "F")


_VALUE = {State.PASS: 1.0, State.WARN: 0.5}
_GRADES = ((95, "A"), (85, "B"), (75, "C"), (60, "D"))

OnResult = Callable[[Result], None]
OnStart = Callable[[Collection[Check]], None]


@dataclass(frozen=True)
class Options:
    """``without`` names effects no fact may have. ``timeout`` bounds the whole run, ``retry_timeout`` looks again at
    what failed for so many seconds, ``retry_sleep`` seconds after the look before.
    """

    without: Collection[Effect] = ()
    timeout: float = 300.0
    retry_timeout: float = 0.0
    retry_sleep: float = RETRY_SLEEP


def run(
    ops: Ops,
    stages: Sequence[Stage],
    chosen: Sequence[Check],
    waivers: Waivers,
    options: Options,
    on_result: OnResult,
) -> Run:
    """Judge the chosen checks; ``on_result`` gets each as it ends. Never raises for what a check finds."""
    started, began = ops.clock(), time.monotonic()
    deadline = began + options.timeout
    judging = _Judging(ops, stages, waivers, options)
    results = judging.judge(chosen, deadline, on_result)
    retries = 0
    retry_until = min(deadline, time.monotonic() + options.retry_timeout)
    while options.retry_timeout and _bad(results.values()) and time.monotonic() + options.retry_sleep < retry_until:
        time.sleep(options.retry_sleep)
        again = [result.check for result in results.values() if _worth_another_look(result)]
        judging = _Judging(ops, stages, waivers, options, known=results)
        results |= judging.judge(with_dependants(again, chosen), deadline, on_result)
        retries += 1
    ordered = tuple(results[check.id] for check in chosen)
    return Run(ordered, started, time.monotonic() - began, ops.settings.env, waivers, retries)


def _bad(results: Collection[Result]) -> bool:
    return any(result.state in {State.FAIL, State.ERROR} for result in results)


def _worth_another_look(result: Result) -> bool:
    """True of what failed, and of what was skipped because something that it is asked of was away."""
    return result.state in {State.FAIL, State.ERROR} or result.verdict.skip is Skip.PREREQUISITE


def with_dependants(again: Sequence[Check], chosen: Sequence[Check]) -> list[Check]:
    """Checks that failed, and those that were skipped for them."""
    ids = {check.id for check in again}
    grown = True
    while grown:
        more = {check.id for check in chosen if check.id not in ids and ids.intersection(check.needs)}
        grown = bool(more)
        ids |= more
    return [check for check in chosen if check.id in ids]


class _Judging:
    """One pass over some checks."""

    def __init__(
        self,
        ops: Ops,
        stages: Sequence[Stage],
        waivers: Waivers,
        options: Options,
        known: Mapping[str, Result] | None = None,
    ) -> None:
        self._facts = Facts(ops, options.without)
        self._env = ops.settings.env
        self._waivers = waivers
        self._stage_of = {check.id: stage for stage in stages for check in stage.checks}
        self._checks = {check.id: check for stage in stages for check in stage.checks}
        self._results: dict[str, Result] = {}
        self._before = known or {}

    def judge(self, chosen: Sequence[Check], deadline: float, on_result: OnResult) -> dict[str, Result]:
        """Results by id of the chosen checks. Prerequisites that were not chosen are judged, and not reported."""
        wanted = {check.id for check in chosen}
        waiting = self._with_needs(chosen)
        self._facts.start(fact for check in waiting for fact in check.asks)
        while waiting:
            ready = [check for check in waiting if self._ready(check)]
            if time.monotonic() >= deadline:
                ready = list(waiting)
            for check in ready:
                result = self._result(check, overdue=time.monotonic() >= deadline)
                self._results[check.id] = result
                waiting.remove(check)
                if check.id in wanted:
                    on_result(result)
            if not ready:
                self._facts.wait(deadline - time.monotonic())
        return {id_: result for id_, result in self._results.items() if id_ in wanted}

    def _with_needs(self, chosen: Sequence[Check]) -> list[Check]:
        found: dict[str, Check] = {}

        def add(check: Check) -> None:
            for id_ in check.needs:
                if id_ not in found and id_ in self._checks:
                    add(self._checks[id_])
            found.setdefault(check.id, check)

        for check in chosen:
            add(check)
        return list(found.values())

    def _ready(self, check: Check) -> bool:
        if any(id_ not in self._results for id_ in check.needs):
            return False
        return self._broken_need(check) != "" or all(self._facts.known(fact) for fact in check.asks)

    def _broken_need(self, check: Check) -> str:
        """A need that was not looked at because nothing may be written leaves the question open: others answer it."""
        known = (self._results[id_] for id_ in check.needs if id_ in self._results)
        broken = (each for each in known if not each.state.holds and each.verdict.skip is not Skip.OFFLINE)
        return next((each.check.id for each in broken), "")

    def _result(self, check: Check, *, overdue: bool) -> Result:
        if need := self._broken_need(check):
            return self._made(check, _without(self._results[need]), 0.0)
        late = [fact for fact in check.asks if overdue and not self._facts.known(fact)]
        if late:
            why = f"The time of the whole run was over before {late[0].name} was known."
            return self._made(check, Verdict(Level.ERROR, why, hint="Give it more: --timeout 600"), 0.0)
        seconds = max((self._facts.seconds(fact) for fact in check.asks), default=0.0)
        return self._made(check, self._verdict(check), seconds)

    def _verdict(self, check: Check) -> Verdict:
        values = [self._facts.value(fact) for fact in check.asks]
        for value in values:
            if isinstance(value, NotHere):
                return skipped(value.reason, value.why)
        for value in values:
            if isinstance(value, Unknown):
                return Verdict(Level.ERROR, f"Could not look: {value.why}", hint=value.hint)
        try:
            return check(*values)
        except Exception as error:  # noqa: BLE001 - reported as this check's error
            # One judge's mistake is one check's error; the others are judged all the same.
            why = f"The check itself broke: {type(error).__name__}: {error}."
            return Verdict(Level.ERROR, why, hint="Report this with the output of the same command with -vv.")

    def _made(self, check: Check, verdict: Verdict, seconds: float) -> Result:
        verdict = _softened(verdict, check.at_most.get(self._env))
        state = State(verdict.level)
        waiver = self._waivers.active.get(check.id) if state in {State.FAIL, State.WARN} else None
        return Result(self._stage_of[check.id], check, State.WAIVED if waiver else state, verdict, seconds, waiver)


def _without(need: Result) -> Verdict:
    """Verdict on a check whose prerequisite does not hold: skipped, for the same reason where that was skipped, too."""
    if need.verdict.skip is None:
        return skipped(Skip.PREREQUISITE, f"Needs {need.check.id}, which does not hold.")
    return skipped(need.verdict.skip, f"Needs {need.check.id}, which was skipped. {need.verdict.message}")


def _softened(verdict: Verdict, most: Level | None) -> Verdict:
    """The same verdict where an environment does not take this check so seriously. An error stays an error."""
    order: list[Any] = [Level.PASS, Level.WARN, Level.FAIL]
    if most is None or verdict.level not in order or order.index(verdict.level) <= order.index(most):
        return verdict
    return replace(verdict, level=most)
