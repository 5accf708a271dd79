"""Short jobs do not wait behind long ones: each worker runs one of each at the same time."""

from uuid import UUID

import pytest

from services.common.ledger import State
from services.common.transport import LONG_QUEUE
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

#: Long ones end when their worker does.
AT_ONCE = {"WORKER_GRACE_SECONDS": "0"}
LASTS_S = 1.5


def submit_long(desk: Desk, seconds: float = 600.0) -> UUID:
    return desk.submit("nap_long", queue=LONG_QUEUE, seconds=seconds)


def running(desk: Desk, *jobs: UUID) -> int:
    return sum(desk.job(job).state is State.RUNNING for job in jobs)


def waiting_s(desk: Desk, job: UUID) -> float:
    """How long it took a job to start; it has ended well by now."""
    ended = desk.wait_for(job)
    assert ended.state is State.SUCCEEDED
    assert ended.started_at
    return (ended.started_at - ended.submitted_at).total_seconds()


def test_a_short_job_beside_four_long_ones_on_two_workers_starts_at_once(make_worker: MakeWorker, desk: Desk) -> None:
    for name in ("worker-1", "worker-2"):
        make_worker(name, **AT_ONCE)
    sweeps = [submit_long(desk) for _ in range(4)]
    until(lambda: running(desk, *sweeps) == 2, "each worker runs a long job", 30)
    waited = sorted(waiting_s(desk, desk.submit("nap", seconds=0.1)) for _ in range(3))
    assert waited[1] < 2, "in the middle of three: the host may stall once"
    assert running(desk, *sweeps) == 2, "of each kind one at a time"


def test_long_jobs_run_one_after_the_other_and_leave_no_process(make_worker: MakeWorker, desk: Desk) -> None:
    worker = make_worker()
    until(lambda: len(worker.children()) == 1, "the process for short jobs is there")
    first, second = (submit_long(desk, LASTS_S) for _ in range(2))
    until(lambda: len(worker.children()) == 2, "a long job has a process of its own", 30)
    ended = [desk.wait_for(job) for job in (first, second)]
    assert [job.state for job in ended] == [State.SUCCEEDED] * 2
    earlier, later = sorted(job.started_at for job in ended if job.started_at)
    # The next is claimed once the process is free, while the end of the one before is still recorded.
    assert (later - earlier).total_seconds() >= LASTS_S
    until(lambda: len(worker.children()) == 1, "it takes no memory between two jobs")


def test_a_worker_that_ends_hands_both_back(make_worker: MakeWorker, desk: Desk) -> None:
    worker = make_worker(**AT_ONCE)
    jobs = (submit_long(desk), desk.submit("nap", seconds=60.0))
    until(lambda: running(desk, *jobs) == 2, "both run", 30)
    worker.terminate()
    assert worker.wait() == 0
    assert [(desk.job(job).state, desk.job(job).attempt) for job in jobs] == [(State.QUEUED, 0)] * 2


def test_both_jobs_of_a_killed_worker_run_again(make_worker: MakeWorker, desk: Desk) -> None:
    worker = make_worker()
    jobs = (submit_long(desk, 3.0), desk.submit("nap", seconds=3.0))
    until(lambda: running(desk, *jobs) == 2, "both run", 30)
    worker.kill()
    make_worker("worker-2")
    assert [desk.wait_for(job).state for job in jobs] == [State.SUCCEEDED] * 2
    assert {desk.job(job).worker for job in jobs} == {"worker-2"}


def test_a_long_job_that_came_with_the_short_ones_runs_all_the_same(make_worker: MakeWorker, desk: Desk) -> None:
    """As from a sender that does not know the type, or knew it as a short one."""
    make_worker()
    assert desk.wait_for(desk.submit("nap_long", seconds=0.1)).state is State.SUCCEEDED
