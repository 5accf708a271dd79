"""Jobs that call an outside service, on two real workers: while it is away they wait, and no attempt is burned."""

from pathlib import Path

import pytest

from services.common.breaker import Breakers
from services.common.jobtypes import waiting_for
from services.common.ledger import Fault, Job, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker, Own
from tests.integration.worker.rig import Desk
from tests.waiting import until

pytestmark = pytest.mark.integration

JOBS, THRESHOLD = 12, 3


@pytest.fixture
def service(tmp_path: Path) -> tuple[Path, Path]:
    """A service that is away, and the record of its calls."""
    away, calls = tmp_path / "away", tmp_path / "calls"
    away.touch()
    calls.touch()
    return away, calls


def test_it_opens_for_all_workers_burns_no_attempt_and_one_probe_closes_it(
    desk: Desk, make_worker: MakeWorker, settings: Settings, service: tuple[Path, Path]
) -> None:
    away, calls = service
    breakers = Breakers(redis_client(settings))
    make_worker(name="worker-1")
    make_worker(name="worker-2")
    jobs = []

    def submit() -> None:
        jobs.append(desk.submit("caller", max_attempts=5, away=str(away), calls=str(calls)))

    def deferred(found: list[Job]) -> list[Job]:
        return [job for job in found if job.fault == Fault.STACK]

    def heard_by_both() -> bool:
        submit()
        return {job.worker for job in deferred([desk.job(job) for job in jobs])} == {"worker-1", "worker-2"}

    for _ in range(JOBS):
        submit()
    until(lambda: (found := breakers.get("market-data")) is not None and found.open, "the breaker is open", 30)
    until(heard_by_both, "both workers know that it is open", 60)
    until(lambda: all(desk.job(job).state is State.RETRYING for job in jobs), "all jobs wait", 30)
    waiting = [desk.job(job) for job in jobs]
    assert {job.error_type for job in deferred(waiting)} == {"BreakerOpen"}
    assert all(job.retry_at is not None for job in deferred(waiting))
    # Each failure burned an attempt, but for that which opened it, and for probes.
    assert sum(job.attempt for job in waiting) < THRESHOLD
    until(lambda: calls.read_text().count("away") >= THRESHOLD + 2, "probes are let through", 30)
    assert sum(desk.job(job).attempt for job in jobs if desk.job(job).state is State.RETRYING) < THRESHOLD
    away.unlink()
    for job in jobs:
        assert desk.wait_for(job).state is State.SUCCEEDED
    closed = breakers.get("market-data")
    assert closed is not None
    assert not closed.open
    assert closed.trips == 1
    assert calls.read_text().count("back") == len(jobs)


def test_reset_and_redis_wiped_in_the_middle(
    desk: Desk, make_worker: MakeWorker, settings: Settings, service: tuple[Path, Path]
) -> None:
    away, calls = service
    breakers = Breakers(redis_client(settings))
    make_worker()
    first = [desk.submit("caller", away=str(away), calls=str(calls), open_s=600) for _ in range(3)]
    until(lambda: (found := breakers.get("market-data")) is not None and found.open, "the breaker is open", 30)
    away.unlink()
    before = calls.read_text()
    held = desk.submit("caller", away=str(away), calls=str(calls), open_s=600)
    job = desk.wait_for(held, State.RETRYING)
    assert (job.error_type, job.attempt) == ("BreakerOpen", 0)
    assert calls.read_text().count("back") == before.count("back")
    assert breakers.reset("market-data")
    assert desk.ledger.hasten(waiting_for("market-data"), "reset", by="maria") >= 1
    assert desk.wait_for(held).state is State.SUCCEEDED
    assert ("maria", "reset") in [(event.by, event.note) for event in desk.ledger.events(held)]
    assert desk.wait_for(desk.submit("caller", away=str(away), calls=str(calls))).state is State.SUCCEEDED
    redis_client(settings).flushdb()
    assert desk.wait_for(desk.submit("caller", away=str(away), calls=str(calls))).state is State.SUCCEEDED
    assert {desk.wait_for(each).state for each in first} == {State.SUCCEEDED}


@pytest.mark.parametrize(("fault", "mend"), [("kill", "start"), ("pause", "resume"), ("fill", "make_room")])
def test_while_its_state_is_not_known_a_failure_burns_no_attempt(
    own: Own, service: tuple[Path, Path], tmp_path: Path, fault: str, mend: str
) -> None:
    """Calls are let through all the same."""
    (away, calls), begin = service, tmp_path / "begin"
    own.make_worker()
    job = own.desk.submit("caller", max_attempts=1, away=str(away), calls=str(calls), open_s=4, until=str(begin))
    own.desk.wait_for(job, State.RUNNING)
    getattr(own.redis, fault)()
    begin.touch()
    waiting = own.desk.wait_for(job, State.RETRYING)
    assert (waiting.error_type, waiting.fault, waiting.attempt) == ("BreakerUnknown", Fault.STACK, 0)
    assert "state is not known" in (waiting.message or "")
    assert calls.read_text().split() == ["away"]
    away.unlink()
    getattr(own.redis, mend)()
    ended = own.desk.wait_for(job)
    assert (ended.state, ended.attempt) == (State.SUCCEEDED, 1)
    assert calls.read_text().split() == ["away", "back"]
