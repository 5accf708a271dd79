"""Jobs that misbehave: each ends with the true reason, and the worker's heartbeat never stops."""

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.common.ledger import Fault, State
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import LEASE_S, Desk, WorkerPart
from tests.waiting import until

pytestmark = pytest.mark.integration

# A beat a second; a busy machine may delay one.
LONGEST_SILENCE_S = 5.0


@contextmanager
def watched_heart(worker: WorkerPart) -> Iterator[None]:
    """Fails when the worker's heartbeat stands still for long inside the block."""
    beats, done = [time.time()], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            heartbeat = worker.heartbeat()
            if heartbeat and heartbeat.at > beats[-1]:
                beats.append(heartbeat.at)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    beats.append(time.time())
    assert max(after - before for before, after in itertools.pairwise(beats)) < LONGEST_SILENCE_S


@pytest.mark.parametrize(
    ("job_type", "payload", "error_type", "says"),
    [
        ("crash", {}, "KilledBySignal", f"signal {signal.SIGSEGV:d} (SIGSEGV)"),
        ("abort", {}, "KilledBySignal", f"signal {signal.SIGABRT:d} (SIGABRT)"),
        ("leave", {}, "ProcessExited", "exit code 3"),
        ("eat_memory", {"mb": 400}, "MemoryLimitExceeded", "limit is 209715200 bytes"),
        ("stubborn", {"seconds": 30}, "TimeLimitExceeded", "time limit of 2 s"),
        ("raiser", {}, "ZeroDivisionError", "one by zero"),
        ("returns", {"kind": "nan"}, "ValueError", "JSON"),
        ("returns", {"kind": "object"}, "TypeError", "object is not JSON serializable"),
        ("returns", {"kind": "bytes"}, "TypeError", "bytes is not JSON serializable"),
        ("returns", {"kind": "list"}, "TypeError", "returned list; a job's result is a dict"),
        ("returns", {"kind": "nothing"}, "TypeError", "returned NoneType"),
    ],
)
def test_reason_is_true_and_the_worker_goes_on(
    desk: Desk, make_worker: MakeWorker, job_type: str, payload: dict[str, Any], error_type: str, says: str
) -> None:
    worker = make_worker(JOB_MEMORY_LIMIT="200mb")
    with watched_heart(worker):
        job = desk.wait_for(desk.submit(job_type, **payload))
        assert (job.state, job.error_type, job.attempt, job.fault) == (State.DEAD, error_type, 3, Fault.JOB)
        waits = [event.state for event in desk.ledger.events(job.id)][2:-1:2]
        assert waits == [State.RETRYING, State.RETRYING]
        assert says in (job.message or "")
        assert job.fingerprint
        assert bool(job.traceback) == (error_type in {"ZeroDivisionError", "ValueError", "TypeError"})
        assert desk.wait_for(desk.submit("noop")).state is State.SUCCEEDED
    if job_type == "eat_memory":
        assert (job.peak_memory_bytes or 0) > 200 * 1024**2
    heartbeat = worker.heartbeat()
    assert heartbeat is not None
    assert heartbeat.pid == worker.pid


def test_an_operator_gives_a_type_another_time_limit(desk: Desk, make_worker: MakeWorker) -> None:
    """A job of this type may usually nap for five minutes."""
    make_worker(JOB_TIME_LIMITS="nap=1")
    job = desk.wait_for(desk.submit("nap", max_attempts=1, seconds=200))
    assert (job.state, job.error_type) == (State.DEAD, "TimeLimitExceeded")
    assert job.message == "The job ran longer than its time limit of 1 s (setting JOB_TIME_LIMITS)."


def test_a_job_that_kills_its_own_process_is_dead_after_three_and_the_good_ones_beside_it_are_done(
    desk: Desk, make_worker: MakeWorker
) -> None:
    for number in (1, 2):
        make_worker(f"worker-{number}")
    poison = desk.submit("poison", max_attempts=10, seconds=0.3)
    good = [desk.submit("noop") for _ in range(200)]
    job = desk.wait_for(poison)
    assert (job.state, job.error_type, job.kills, job.fault) == (State.DEAD, "KilledBySignal", 3, Fault.JOB)
    assert "signal 9 (SIGKILL)" in (job.message or "")
    assert (job.peak_memory_bytes or 0) > 64 * 1024**2
    starts = [event for event in desk.ledger.events(poison) if event.state is State.RUNNING]
    assert len(starts) == 3
    ended = [desk.wait_for(each) for each in good]
    assert {(each.state, each.attempt, each.kills) for each in ended} == {(State.SUCCEEDED, 1, 0)}


def test_a_failed_job_is_tried_again_and_may_succeed(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    worker = make_worker()
    job = desk.wait_for(desk.submit("flaky", mark=str(tmp_path / "starts")))
    assert (job.state, job.result, job.attempt, job.failure) == (State.SUCCEEDED, {"starts": 3}, 3, None)
    assert [event.note for event in desk.ledger.events(job.id) if event.state is State.RETRYING] == [
        "ConnectionResetError: start 1",
        "ConnectionResetError: start 2",
    ]
    assert worker.metrics()['job_retries_total{job_type="flaky"}'] == 2


def test_a_failure_that_its_type_declares_final_is_not_tried_again(
    desk: Desk, make_worker: MakeWorker, tmp_path: Path
) -> None:
    make_worker()
    job = desk.wait_for(desk.submit("hopeless", mark=str(tmp_path / "starts")))
    assert (job.state, job.attempt, job.error_type) == (State.DEAD, 1, "LookupError")


@pytest.mark.parametrize(
    ("kind", "error_type", "says"),
    [
        ("huge", "JobFailure", "is 20971532 bytes long; at most 16777216 are kept"),
        ("nul", "UnstorableResult", "a text holds a NUL character"),
        ("surrogate", "UnstorableResult", "surrogates not allowed"),
    ],
)
def test_a_result_that_cannot_be_kept_is_not_computed_again(
    desk: Desk, make_worker: MakeWorker, kind: str, error_type: str, says: str
) -> None:
    make_worker()
    job = desk.wait_for(desk.submit("returns", kind=kind))
    assert (job.state, job.error_type, job.attempt, job.fault) == (State.DEAD, error_type, 1, Fault.JOB)
    assert says in (job.message or "")
    assert desk.wait_for(desk.submit("noop")).state is State.SUCCEEDED


def test_job_that_holds_the_gil_runs_once_and_starves_nobody(desk: Desk, make_worker: MakeWorker) -> None:
    """For several times as long as the lease."""
    worker, other = make_worker(), make_worker("worker-2")
    with watched_heart(worker), watched_heart(other):
        job = desk.wait_for(desk.submit("hold_gil", seconds=3 * LEASE_S))
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)
    assert [event.state for event in desk.ledger.events(job.id)] == [
        State.QUEUED,
        State.RUNNING,
        State.SUCCEEDED,
    ]


def test_no_message_waits_behind_a_long_job(desk: Desk, make_worker: MakeWorker) -> None:
    """While one worker is busy, the other takes everything else; nobody hoards."""
    make_worker()
    long = desk.submit("nap", seconds=20)
    desk.wait_for(long, State.RUNNING)
    short = [desk.submit("noop") for _ in range(5)]
    make_worker("worker-2")
    for job_id in short:
        assert desk.wait_for(job_id, within_s=8).worker == "worker-2"
    assert desk.job(long).state is State.RUNNING
    desk.ledger.request_cancel(long)
    desk.wait_for(long)


def test_what_a_job_has_started_ends_with_it(desk: Desk, make_worker: MakeWorker, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    make_worker()
    job = desk.wait_for(desk.submit("forker", max_attempts=1, seconds=60, mark=str(mark)))
    assert job.error_type == "TimeLimitExceeded"
    until(lambda: not psutil.pid_exists(int(mark.read_text())), "the job's own child is gone")


@pytest.mark.parametrize(("job_type", "note"), [("nap", "ended by SIGTERM"), ("stubborn_long", "killed")])
def test_cancelled_job_ends_soon_and_says_how(desk: Desk, make_worker: MakeWorker, job_type: str, note: str) -> None:
    make_worker()
    job_id = desk.submit(job_type, seconds=50)
    desk.wait_for(job_id, State.RUNNING)
    until(lambda: desk.job(job_id).progress > 0 or job_type != "nap", "progress is shown")
    desk.ledger.request_cancel(job_id)
    job = desk.wait_for(job_id, within_s=15)
    assert (job.state, job.attempt) == (State.CANCELLED, 1)
    assert note in desk.ledger.events(job_id)[-1].note
    assert desk.wait_for(desk.submit("noop")).state is State.SUCCEEDED
