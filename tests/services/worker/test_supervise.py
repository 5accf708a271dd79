"""One attempt, watched: what a job's process says, holds and ends with, and what becomes of the job.

The process and its time stand in here; tests/integration/worker/test_job_process.py has a real one.
"""

import signal
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from services.common.ledger import Claim, Failure, Fault
from services.worker import supervise
from services.worker.outcome import Failed, Outcome, Parted, Stop, Stopped, Succeeded
from services.worker.process import ChildDied, JobProcess
from services.worker.supervise import TERM_GRACE_S, Limits, StopRequest, Watch

CLAIM = Claim(
    uuid4(), "nap", 2, {"x": 1}, 4, 5, 0, 0, 7, "worker-1", "trace", datetime.now(UTC), False, uuid4(), 3, 9
)  # fmt: skip
LIMITS = Limits(seconds=1.0, memory_bytes=1000)
TICK_S = 0.25
DONE = {"kind": "done", "result": {"y": 2}}


class Process:
    """Says and holds at each look what a test has it say and hold; then it is silent until it is killed."""

    def __init__(self, says: Iterable[Any] = (), rss: Iterable[int] = (), code: int = -9) -> None:
        self.now = 100.0
        self.says, self.held, self.code = list(says), list(rss), code
        self.calls: list[tuple[Any, ...]] = []
        self.looks = 0
        self._killed = False

    def send(self, message: dict[str, Any]) -> None:
        self.calls.append(("send", message))

    def receive(self, timeout_s: float) -> Any:
        self.looks += 1
        assert self.looks < 100, "it is watched for ever"
        self.now += timeout_s
        said = self.says.pop(0) if self.says else None
        if self._killed or said is ChildDied:
            raise ChildDied("the line is closed")
        return said

    def rss(self) -> int:
        return self.held.pop(0) if self.held else 0

    def terminate(self) -> None:
        self.calls.append(("terminate", self.now - 100))

    def kill(self) -> None:
        self.calls.append(("kill", self.now - 100))
        self._killed = True

    def end(self, grace_s: float) -> int:
        self.calls.append(("end", grace_s))
        return self.code


class Watched:
    """A watch on such a process: ``told`` is what it passed on, ``looks`` how often it showed that it looks."""

    def __init__(self, process: Process, monkeypatch: pytest.MonkeyPatch, limits: Limits = LIMITS) -> None:
        self.process = process
        self.told: list[tuple[float, str]] = []
        self.shown = 0
        self.request = StopRequest()
        line = cast("JobProcess", process)
        self.watch = Watch(line, CLAIM, limits, self.request, lambda *what: self.told.append(what), self._show)
        monkeypatch.setattr(time, "monotonic", lambda: process.now)
        monkeypatch.setattr(supervise, "TICK_S", TICK_S)

    def _show(self) -> None:
        self.shown += 1

    @property
    def strikes(self) -> list[tuple[Any, ...]]:
        return [call for call in self.process.calls if call[0] in ("terminate", "kill")]


def run(monkeypatch: pytest.MonkeyPatch, *says: Any, **more: Any) -> Outcome:
    return Watched(Process(says, **more), monkeypatch).watch.run()


def failure(outcome: Outcome) -> Failure:
    assert isinstance(outcome, Failed)
    return outcome.failure


def test_the_order_is_all_that_the_process_needs_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process([DONE])
    Watched(process, monkeypatch).watch.run()
    assert process.calls == [
        (
            "send",
            {
                "id": str(CLAIM.id), "lease_token": 7, "type": "nap", "version": 2, "payload": {"x": 1}, "part": 3,
                "parts": 9, "log": {"job_id": str(CLAIM.id), "job_type": "nap", "attempt": 4, "trace_id": "trace"},
            },
        )
    ]  # fmt: skip


def test_progress_is_passed_on_and_each_look_shows_that_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(Process([{"kind": "progress", "fraction": 0.5, "note": "half"}, None, DONE]), monkeypatch)
    assert watched.watch.run() == Succeeded({"y": 2}, 0)
    assert watched.told == [(0.5, "half")]
    assert (watched.shown, watched.process.now) == (2, 100.75)
    assert not watched.watch.struck


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (DONE, Succeeded({"y": 2}, 800)),
        ({"kind": "parted", "count": 5}, Parted(5, 800)),
        ({"kind": "lost"}, Stopped(Stop.LOST, forced=False, peak_bytes=800)),
        (
            {"kind": "cancelled"},
            Failed(
                Failure(
                    "JobCancelled",
                    "The job stopped itself as cancelled, but nobody had asked for it.",
                    fingerprint="JobCancelled-nap",
                ),
                800,
            ),
        ),
    ],
)
def test_what_the_process_says_last_is_the_outcome_with_the_most_it_held(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], outcome: Outcome
) -> None:
    assert run(monkeypatch, None, None, said, rss=[100, 800, 300]) == outcome


def test_the_last_look_at_its_memory_comes_after_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, DONE, rss=[900]) == Succeeded({"y": 2}, 900)


RAISED = {
    "kind": "failed", "type": "ValueError", "message": "no", "traceback": "lines", "fingerprint": "f",
    "final": True, "lost_store": False, "wait_s": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({}, Fault.JOB),
        ({"final": False}, Fault.JOB),
        ({"lost_store": True}, Fault.STACK),
        ({"wait_s": 30.0}, Fault.STACK),
        ({"wait_s": 0.0}, Fault.STACK),
    ],
)
def test_what_the_job_raised_is_the_stacks_fault_where_that_was_away(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], fault: Fault
) -> None:
    given = RAISED | said
    found = Failure("ValueError", "no", "lines", "f", fault, final=given["final"], wait_s=given["wait_s"])  # type: ignore[arg-type]
    assert run(monkeypatch, given, rss=[70]) == Failed(found, 70)


KILLED = "The job's process was killed"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (
            -signal.SIGKILL,
            Failure(
                "KilledBySignal", f"{KILLED} from outside by signal 9 (SIGKILL).",
                fingerprint="KilledBySignal-SIGKILL-nap", fault=Fault.STACK, killed=True, wait_s=0.0,
            ),
        ),
        (
            -signal.SIGSEGV,
            Failure(
                "KilledBySignal", f"{KILLED} by signal 11 (SIGSEGV).",
                fingerprint="KilledBySignal-SIGSEGV-nap", killed=True,
            ),
        ),
        (
            -99,
            Failure(
                "KilledBySignal", f"{KILLED} by signal 99 (signal 99).",
                fingerprint="KilledBySignal-signal 99-nap", killed=True,
            ),
        ),
        (
            -1,
            Failure(
                "KilledBySignal", f"{KILLED} by signal 1 (SIGHUP).",
                fingerprint="KilledBySignal-SIGHUP-nap", killed=True,
            ),
        ),
        (
            0,
            Failure(
                "ProcessExited", "The job's process ended by itself with exit code 0.",
                fingerprint="ProcessExited-0-nap", killed=True,
            ),
        ),
        (
            3,
            Failure(
                "ProcessExited", "The job's process ended by itself with exit code 3.",
                fingerprint="ProcessExited-3-nap", killed=True,
            ),
        ),
    ],
)  # fmt: skip
def test_how_the_process_died_says_what_became_of_the_job(
    monkeypatch: pytest.MonkeyPatch, code: int, found: Failure
) -> None:
    watched = Watched(Process([None, ChildDied], [60], code), monkeypatch)
    assert watched.watch.run() == Failed(found, 60)
    assert watched.process.calls[-1] == ("end", 1.0)


# Limits and orders to stop


@pytest.mark.parametrize("why", list(Stop))
def test_an_order_to_stop_is_given_on_and_whatever_the_job_says_then_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch, why: Stop
) -> None:
    watched = Watched(Process([None, DONE], [5]), monkeypatch)
    watched.request.stop = why
    assert watched.watch.run() == Stopped(why, forced=False, peak_bytes=5)
    assert watched.strikes == [("terminate", 0.25)]
    assert watched.watch.struck


def test_a_job_that_does_not_listen_is_killed_once_its_grace_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time limit, which it passes meanwhile, changes nothing about that."""
    watched = Watched(Process(), monkeypatch)
    watched.request.stop = Stop.CANCEL
    assert watched.watch.run() == Stopped(Stop.CANCEL, forced=True, peak_bytes=0)
    assert watched.strikes == [("terminate", 0.25), ("kill", 0.25 + TERM_GRACE_S + TICK_S)]


def test_a_job_has_all_of_its_time_and_not_more(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(Process(), monkeypatch)
    found = watched.watch.run()
    message = "The job ran longer than its time limit of 1 s (setting JOB_TIME_LIMITS)."
    assert failure(found) == Failure("TimeLimitExceeded", message, fingerprint="TimeLimitExceeded-nap")
    assert watched.strikes == [("terminate", 1.25), ("kill", 1.25 + TERM_GRACE_S + TICK_S)]
    assert watched.watch.struck


TOO_BIG = Failure(
    "MemoryLimitExceeded",
    "The job's process used 1001 bytes of memory; its limit is 1000 bytes (setting JOB_MEMORY_LIMIT).",
    fingerprint="MemoryLimitExceeded-nap",
    killed=True,
)


def test_a_job_may_hold_all_of_its_memory_and_with_more_is_killed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(Process(rss=[1000, 1001, 5000]), monkeypatch)
    assert watched.watch.run() == Failed(TOO_BIG, 1001)
    assert watched.strikes == [("terminate", 0.5), ("kill", 0.5)]


def test_memory_counts_at_its_last_word_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, DONE, rss=[1001]) == Failed(TOO_BIG, 1001)


def test_a_job_that_is_to_stop_and_grows_meanwhile_was_stopped_and_is_killed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(Process(rss=[0, 0, 1001]), monkeypatch)
    watched.request.stop = Stop.SHUTDOWN
    assert watched.watch.run() == Stopped(Stop.SHUTDOWN, forced=True, peak_bytes=1001)
    assert watched.strikes == [("terminate", 0.25), ("terminate", 0.75), ("kill", 0.75)]


def test_a_process_that_is_gone_before_it_has_the_order_died(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(code=1)

    def gone(_: object) -> None:
        raise ChildDied("broken pipe")

    monkeypatch.setattr(process, "send", gone)
    assert failure(Watched(process, monkeypatch).watch.run()).error_type == "ProcessExited"
