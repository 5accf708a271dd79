"""Types of jobs as queues, on a real Postgres: paused, closed, limited, purged; and jobs for later."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.common.database import Database
from services.common.ledger import Claim, Failure, Fault, Ledger, QueueClosed, Queues, QueueStatus, State

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, {"own_limit": 1})


@pytest.fixture
def queues(database: Database) -> Queues:
    return Queues(database)


def submit(ledger: Ledger, job_type: str = "canary", **options: object) -> UUID:
    return ledger.submit(job_type, {}, **options).job.id  # type: ignore[arg-type]


def claim(ledger: Ledger, job_id: UUID, worker: str = "w1") -> Claim | None:
    found = ledger.claim(job_id, worker, 30)
    assert found is None or isinstance(found, Claim)
    return found


def sendable(ledger: Ledger, **options: float) -> list[UUID]:
    with ledger.overdue(**options) as due:  # type: ignore[arg-type]
        return [each.id for each in due]


def lose_worker(database: Database, job_id: UUID) -> None:
    """The lease runs out, as after kill -9, without waiting for it."""
    query = """UPDATE job SET lease_until = now() - interval '1 second', sent_at = now() - interval '20 seconds'
        WHERE id = %(id)s"""
    database.execute(query, {"id": job_id})


def status(queues: Queues, job_type: str = "canary") -> QueueStatus:
    return {each.type: each for each in queues.status()}[job_type]


def test_no_job_of_a_paused_type_starts_and_none_is_lost(ledger: Ledger, queues: Queues) -> None:
    job, other = submit(ledger), submit(ledger, "other")
    queues.set("canary", paused=True, reason="exchange is down", by="anna")
    assert claim(ledger, job) is None
    assert claim(ledger, other) is not None
    assert sendable(ledger) == []
    assert (status(queues).waiting, status(queues).paused) == (1, True)
    assert (status(queues).reason, status(queues).by) == ("exchange is down", "anna")
    queues.set("canary", paused=False, by="anna")
    assert sendable(ledger) == [job]
    assert claim(ledger, job) is not None


def test_what_ran_when_its_type_was_paused_ends_as_ever(ledger: Ledger, queues: Queues) -> None:
    held = claim(ledger, submit(ledger))
    assert held
    queues.set("canary", paused=True, by="anna")
    assert ledger.finish(held, {})


def test_a_pause_holds_what_its_worker_lost_and_what_is_tried_again(
    ledger: Ledger, queues: Queues, database: Database
) -> None:
    lost, again = claim(ledger, submit(ledger)), claim(ledger, submit(ledger))
    assert lost
    assert again
    assert ledger.defer(again, Failure("E", "m", fault=Fault.STACK), 0.0) is State.RETRYING
    lose_worker(database, lost.id)
    queues.set("canary", paused=True, by="anna")
    assert (claim(ledger, lost.id, "w2"), claim(ledger, again.id, "w2"), sendable(ledger, grace_s=0)) == (
        None,
        None,
        [],
    )
    queues.set("canary", paused=False, by="anna")
    assert set(sendable(ledger, grace_s=0)) == {lost.id, again.id}


@pytest.mark.parametrize("job_type", ["canary", "own_limit"])
def test_no_more_than_the_limit_run_however_many_claim_at_once(ledger: Ledger, queues: Queues, job_type: str) -> None:
    most = 1 if job_type == "own_limit" else 3
    if job_type == "canary":
        queues.set("canary", max_running=most, limited=True, by="anna")
    jobs = [submit(ledger, job_type) for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        claims = [found for found in pool.map(lambda job: claim(ledger, job), jobs) if found]
    assert len(claims) == most
    assert all(found.limited for found in claims)
    assert sendable(ledger) == []
    assert ledger.finish(claims[0], {})
    (following,) = sendable(ledger)
    assert claim(ledger, following) is not None


def test_an_operators_limit_goes_before_the_types_own_until_it_is_taken_back(ledger: Ledger, queues: Queues) -> None:
    first, second, third = (submit(ledger, "own_limit") for _ in range(3))
    queues.set("own_limit", max_running=2, limited=True, by="anna")
    assert [claim(ledger, job) is not None for job in (first, second, third)] == [True, True, False]
    queues.set("own_limit", max_running=None, limited=True, by="anna")
    assert claim(ledger, third) is None


def test_a_limit_counts_no_job_whose_worker_has_vanished(ledger: Ledger, queues: Queues, database: Database) -> None:
    queues.set("canary", max_running=1, limited=True, by="anna")
    first, second = submit(ledger), submit(ledger)
    assert claim(ledger, first)
    lose_worker(database, first)
    assert len(sendable(ledger)) == 1
    assert claim(ledger, second)


def test_a_closed_type_takes_no_new_job_and_its_old_ones_run(ledger: Ledger, queues: Queues) -> None:
    before = submit(ledger, idempotency_key="k")
    queues.set("canary", closed=True, reason="upgrade", by="anna")
    with pytest.raises(QueueClosed, match="anna has closed canary for new jobs: upgrade"):
        submit(ledger)
    assert submit(ledger, idempotency_key="k") == before, "it was accepted already"
    assert claim(ledger, before)
    queues.set("canary", closed=False, by="anna")
    assert submit(ledger)


def test_a_rule_that_says_nothing_any_more_is_gone(ledger: Ledger, queues: Queues, database: Database) -> None:
    queues.set("canary", paused=True, max_running=2, limited=True, by="anna")
    queues.set("canary", paused=False, by="anna")
    assert status(queues).max_running == 2, "what is not given stays"
    queues.set("canary", limited=True, by="anna")
    assert database.rows("SELECT * FROM queue_rule") == []


def test_a_purge_cancels_what_waits_and_nothing_else(ledger: Ledger, queues: Queues) -> None:
    running, other = claim(ledger, submit(ledger)), submit(ledger, "other")
    waiting = [submit(ledger) for _ in range(3)]
    assert [queues.purge("canary", by="anna", reason="wrong day", limit=2) for _ in range(3)] == [2, 1, 0]
    for job_id in waiting:
        assert claim(ledger, job_id) is None
        assert [event.note for event in ledger.events(job_id)][-1] == "purged: wrong day"
    assert running
    assert ledger.finish(running, {})
    assert claim(ledger, other)


def test_a_job_for_later_starts_then_and_not_before(ledger: Ledger, queues: Queues, database: Database) -> None:
    job = submit(ledger, not_before=datetime.now(UTC) + timedelta(hours=1))
    assert (claim(ledger, job), sendable(ledger)) == (None, [])
    assert (status(queues).scheduled, status(queues).waiting, ledger.counts()[State.QUEUED]) == (1, 0, 0)
    with ledger.overdue(ahead_s=3601) as due:
        assert [(each.id, 3590 < each.delay_s <= 3600) for each in due] == [(job, True)]
    assert sendable(ledger, ahead_s=3601) == [], "it is on its way"
    database.execute("UPDATE job SET not_before = now() WHERE id = %(id)s", {"id": job})
    assert claim(ledger, job)


def test_a_delayed_id_that_does_not_arrive_is_sent_again_soon(ledger: Ledger, database: Database) -> None:
    """It was lost, or lies with a worker whose clock is slow."""
    job = submit(ledger, not_before=datetime.now(UTC) + timedelta(seconds=2))
    assert [sendable(ledger, ahead_s=3.0) for _ in range(2)] == [[job], []]

    def pass_by(seconds: float) -> list[UUID]:
        query = """UPDATE job SET not_before = not_before - make_interval(secs => %(s)s),
            sent_at = sent_at - make_interval(secs => %(s)s)"""
        database.execute(query, {"s": seconds})
        return sendable(ledger, ahead_s=3.0, grace_s=5.0)

    assert pass_by(5) == []
    assert pass_by(4) == [job]
    assert pass_by(20) == []


def test_only_work_that_could_run_now_counts_as_waiting(ledger: Ledger, queues: Queues) -> None:
    submit(ledger)
    submit(ledger, "other")
    failed = claim(ledger, submit(ledger, "third"))
    assert failed
    assert ledger.defer(failed, Failure("E", "m", fault=Fault.STACK), 60.0) is State.RETRYING
    queues.set("other", paused=True, by="anna")
    counts = ledger.counts()
    assert (counts[State.QUEUED], counts[State.RETRYING]) == (1, 0)
    assert (status(queues, "other").waiting, status(queues, "third").retrying) == (1, 1)
