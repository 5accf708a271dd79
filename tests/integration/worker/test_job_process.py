"""One attempt in a real job process, without Redis or Postgres: limits, orders, deaths."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from services.common.ledger import Claim, Fault
from services.worker.outcome import Failed, Outcome, Parted, Stop, Stopped, Succeeded
from services.worker.process import ChildDied, JobProcess
from services.worker.supervise import Limits, StopRequest, Watch
from services.worker.warm_process import WarmProcess
from tests.integration.worker.rig import install_job_types
from tests.paths import ROOT
from tests.waiting import until

pytestmark = pytest.mark.integration

GENEROUS = Limits(seconds=60, memory_bytes=2 * 1024**3)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_job_types(tmp_path_factory.mktemp("plugins"))


@pytest.fixture
def process(plugins: Path) -> Iterator[JobProcess]:
    path = os.pathsep.join([str(ROOT), str(plugins)])
    process = JobProcess({**os.environ, "PYTHONPATH": path, "LOG_FORMAT": "json"})
    try:
        process.wait_ready()
        yield process
    finally:
        process.end()


def claim(job_type: str, payload: dict[str, Any]) -> Claim:
    return Claim(uuid4(), job_type, 1, payload, 1, 3, 0, 0, 1, "worker-1", "", datetime.now(UTC))


def watch(process: JobProcess, job_type: str, limits: Limits = GENEROUS, **payload: Any) -> Watch:
    told: list[tuple[float, str]] = []
    made = Watch(process, claim(job_type, payload), limits, StopRequest(), lambda *what: told.append(what))
    made.told = told  # type: ignore[attr-defined]
    return made


def run(process: JobProcess, job_type: str, limits: Limits = GENEROUS, **payload: Any) -> Outcome:
    return watch(process, job_type, limits, **payload).run()


def test_one_process_does_one_job_after_another(process: JobProcess) -> None:
    for _ in range(3):
        attempt = watch(process, "nap", seconds=0.2)
        outcome = attempt.run()
        assert isinstance(outcome, Succeeded)
        assert outcome.result == {"pid": process.pid}
        assert outcome.peak_bytes > 10_000_000
        assert attempt.told  # type: ignore[attr-defined]
        assert not attempt.struck


def test_a_job_calculates_in_one_thread(process: JobProcess) -> None:
    """Where the machine has more than one core; on another the library would have none to add."""
    outcome = run(process, "multiply")
    assert isinstance(outcome, Succeeded)
    assert outcome.result == {"squares": 333328333350000.0, "threads": 1}


def test_a_job_is_done_in_parts_where_it_asks_for_them(process: JobProcess) -> None:
    outcome = run(process, "parted", count=7)
    assert isinstance(outcome, Parted)
    assert outcome.count == 7
    part = watch(process, "parted", seconds=0.1)
    part.claim = replace(part.claim, parent=uuid4(), part=2, parts=7)
    outcome = part.run()
    assert isinstance(outcome, Succeeded)
    assert outcome.result == {"number": 2}


def test_a_type_without_parts_can_neither_ask_for_them_nor_do_one(process: JobProcess) -> None:
    outcome = run(process, "splits_without_parts")
    assert isinstance(outcome, Failed)
    assert outcome.failure.message.startswith("splits_without_parts cannot be done in parts")
    part = watch(process, "noop")
    part.claim = replace(part.claim, parent=uuid4(), part=0, parts=2)
    outcome = part.run()
    assert isinstance(outcome, Failed)
    assert (outcome.failure.error_type, outcome.failure.final) == ("JobFailure", True)


@pytest.mark.parametrize("job_type", ["nap", "hold_gil"])
def test_the_watch_shows_that_it_looks_whatever_the_job_does(process: JobProcess, job_type: str) -> None:
    looks: list[float] = []
    attempt = watch(process, job_type, seconds=1.0)
    attempt.on_look = lambda: looks.append(time.monotonic())
    attempt.run()
    assert len(looks) > 10


def test_failure_carries_its_traceback_and_fingerprint(process: JobProcess) -> None:
    first, second = (run(process, "raiser") for _ in range(2))
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
    assert (first.failure.error_type, first.failure.message) == ("ZeroDivisionError", "one by zero")
    assert "in raiser" in first.failure.traceback
    assert first.failure.fingerprint == second.failure.fingerprint
    assert (first.failure.fault, first.failure.final, first.failure.killed) == (Fault.JOB, False, False)


@pytest.mark.parametrize(
    ("job_type", "payload", "says"),
    [
        ("nope", {}, "knows no job type 'nope'"),
        ("nap", {"secs": 1}, "secs: is not a parameter here"),
        ("broken", {}, "in quarantine: ModuleNotFoundError"),
    ],
)
def test_what_cannot_run_is_said_in_a_sentence(
    process: JobProcess, job_type: str, payload: dict[str, Any], says: str
) -> None:
    outcome = run(process, job_type, **payload)
    assert isinstance(outcome, Failed)
    assert (outcome.failure.error_type, outcome.failure.final) == ("JobFailure", True)
    assert says in outcome.failure.message
    assert outcome.failure.traceback == ""


def test_time_limit_ends_a_job_that_listens_at_once(process: JobProcess) -> None:
    began = time.monotonic()
    attempt = watch(process, "nap", Limits(0.5, GENEROUS.memory_bytes), seconds=30)
    outcome = attempt.run()
    assert time.monotonic() - began < 3
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "The job ran longer than its time limit of 0.5 s (setting JOB_TIME_LIMITS)."
    assert attempt.struck


def test_memory_limit_counts_what_the_process_really_holds(process: JobProcess) -> None:
    limit = process.rss() + 100 * 1024**2
    outcome = run(process, "eat_memory", Limits(60, limit), mb=1000)
    assert isinstance(outcome, Failed)
    assert outcome.failure.error_type == "MemoryLimitExceeded"
    assert f"its limit is {limit} bytes" in outcome.failure.message
    assert limit < outcome.peak_bytes < limit + 200 * 1024**2


def test_an_order_ends_a_job(process: JobProcess) -> None:
    attempt = watch(process, "nap", seconds=30)
    attempt.stop_request.stop = Stop.CANCEL
    outcome = attempt.run()
    assert isinstance(outcome, Stopped)
    assert (outcome.why, outcome.forced) == (Stop.CANCEL, False)


def test_job_that_does_not_listen_is_killed(process: JobProcess) -> None:
    attempt = watch(process, "stubborn_long", seconds=30)
    order = threading.Timer(1.0, lambda: setattr(attempt.stop_request, "stop", Stop.CANCEL))
    order.start()
    outcome = attempt.run()
    order.join()
    assert isinstance(outcome, Stopped)
    assert outcome.forced
    until(lambda: not process.alive, "the process is gone", 5)


def test_somebody_elses_signal_is_not_taken_for_a_cancellation(process: JobProcess) -> None:
    attempt = watch(process, "nap", seconds=30)
    attempt.on_progress = lambda *_: psutil.Process(process.pid).terminate()
    outcome = attempt.run()
    assert isinstance(outcome, Failed)
    assert outcome.failure.error_type == "JobCancelled"


def test_dead_process_is_noticed_before_it_gets_a_job(process: JobProcess) -> None:
    psutil.Process(process.pid).kill()
    until(lambda: not process.alive, "it is dead", 5)
    with pytest.raises(ChildDied):
        process.receive(0.1)


# One that is kept ready


@pytest.fixture
def warm_process() -> Iterator[WarmProcess]:
    warm_process = WarmProcess()
    yield warm_process
    warm_process.close()


def test_the_same_process_is_given_until_it_is_retired(warm_process: WarmProcess) -> None:
    first = warm_process.get()
    assert warm_process.get() is first
    assert warm_process.pid == first.pid
    warm_process.retire(first)
    second = warm_process.get()
    assert second.pid != first.pid
    assert not first.alive


def test_a_process_that_died_idle_is_replaced(warm_process: WarmProcess) -> None:
    first = warm_process.get()
    psutil.Process(first.pid).kill()
    until(lambda: not first.alive, "it is dead", 5)
    second = warm_process.get()
    assert second.alive
    assert second.pid != first.pid


def test_a_process_prepared_for_later_comes_at_once_when_it_is_wanted(warm_process: WarmProcess) -> None:
    warm_process.prepare(within=3600)
    assert warm_process.pid is None
    assert warm_process.get().alive


def test_closing_ends_the_process() -> None:
    warm_process = WarmProcess()
    process = warm_process.get()
    warm_process.close()
    assert not process.alive
    assert warm_process.pid is None
