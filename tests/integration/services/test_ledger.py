"""The ledger on a real Postgres: one claimer, fenced writers, one job a key, a sweeper that loses nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.common.database import Database
from services.common.ledger import (
    KILL_LIMIT,
    SPARE_S,
    Abandoned,
    Claim,
    DeadLetters,
    Due,
    Failure,
    Fault,
    IdempotencyConflict,
    Ledger,
    Queues,
    Recovered,
    Renewal,
    State,
    UnstorableValue,
)
from services.common.settings import Settings
from tests.waiting import until

pytestmark = pytest.mark.integration

FAILURE = Failure("ValueError", "bad\x00 input", "Traceback …", "f1")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings, "ledger-test", max_size=8, timeout_s=20)
    database.open()
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def submit(ledger: Ledger, **options: object) -> UUID:
    return ledger.submit("canary", {"n": 1}, **options).job.id  # type: ignore[arg-type]


def claimed(ledger: Ledger, job_id: UUID, worker: str = "w1", lease_s: float = 30) -> Claim:
    claim = ledger.claim(job_id, worker, lease_s)
    assert isinstance(claim, Claim)
    return claim


def lose_worker(database: Database, job_id: UUID, since_s: float = 1) -> None:
    """The lease runs out, as after kill -9, without waiting for it."""
    query = """UPDATE job SET lease_until = now() - make_interval(secs => %(s)s),
        sent_at = now() - interval '50 seconds' WHERE id = %(id)s"""
    database.execute(query, {"id": job_id, "s": since_s})


def age(database: Database, job_id: UUID, seconds: int) -> None:
    """Everything about the job happened ``seconds`` earlier."""
    query = """UPDATE job SET submitted_at = submitted_at - make_interval(secs => %(s)s),
        sent_at = sent_at - make_interval(secs => %(s)s), retry_at = retry_at - make_interval(secs => %(s)s)
        WHERE id = %(id)s"""
    database.execute(query, {"id": job_id, "s": seconds})


def states(ledger: Ledger, job_id: UUID) -> list[str]:
    return [event.state.value for event in ledger.events(job_id)]


def sweep(ledger: Ledger, **options: Any) -> list[UUID]:
    with ledger.overdue(**options) as due:
        return [each.id for each in due]


def test_of_many_claimers_one_wins(ledger: Ledger) -> None:
    job_id = submit(ledger)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: ledger.claim(job_id, f"w{n}", 30), range(32)))
    assert len([claim for claim in claims if claim]) == 1
    job = ledger.get(job_id)
    assert job is not None
    assert (job.state, job.attempt) == (State.RUNNING, 1)
    assert states(ledger, job_id) == ["queued", "running"]


def test_a_job_that_ends_well(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger, trace_id="t1"))
    assert (claim.type, claim.payload, claim.attempt, claim.trace_id) == ("canary", {"n": 1}, 1, "t1")
    assert claim.version == 1
    assert ledger.renew(claim, 30) is Renewal.HELD
    assert ledger.progress(claim, 7.5, "half") is Renewal.HELD
    assert ledger.finish(claim, {"answer": 42}, peak_memory_bytes=1000)
    job = ledger.get(claim.id)
    assert job is not None
    assert (job.state, job.result, job.progress, job.peak_memory_bytes) == (
        State.SUCCEEDED,
        {"answer": 42},
        1.0,
        1000,
    )
    assert job.note == "half"
    assert job.failure is None
    assert job.finished_at is not None
    assert states(ledger, claim.id) == ["queued", "running", "succeeded"]
    assert ledger.claim(claim.id, "w2", 30) is None


@pytest.mark.parametrize(
    "move",
    [
        lambda ledger, claim: ledger.fail(claim, FAILURE, retry_in_s=60.0),
        lambda ledger, claim: ledger.defer(claim, FAILURE, 60.0),
        lambda ledger, claim: ledger.release(claim, "w1 shut down"),
        lambda ledger, claim: ledger.release(claim, "w1 shut down", delay_s=60.0),
    ],
    ids=["failed", "deferred", "given back", "given back for later"],
)
def test_a_job_that_waits_for_another_attempt_shows_nothing_of_the_last_one(
    ledger: Ledger, move: Callable[[Ledger, Claim], object]
) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.progress(claim, 0.5, "half")
    assert move(ledger, claim)
    job = ledger.get(claim.id)
    assert job is not None
    assert not job.state.final
    assert (job.progress, job.note) == (0.0, "")


@pytest.mark.parametrize("ending", ["dead", "poison", "cancelled", "cancelled while the stack fails"])
def test_a_job_that_is_over_shows_how_far_it_came(ledger: Ledger, ending: str) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.progress(claim, 0.5, "half")
    if ending == "dead":
        ledger.fail(claim, FAILURE)
    elif ending == "poison":
        killed = replace(FAILURE, killed=True)
        for _ in range(KILL_LIMIT - 1):
            ledger.defer(claim, killed, 0.0)
            claim = claimed(ledger, claim.id)
        ledger.progress(claim, 0.5, "half")
        ledger.defer(claim, killed, 0.0)
    else:
        ledger.request_cancel(claim.id)
        ledger.cancelled(claim, "cancelled") if ending == "cancelled" else ledger.defer(claim, FAILURE, 60.0)
    job = ledger.get(claim.id)
    assert job is not None
    assert (job.state.final, job.progress, job.note) == (True, 0.5, "half")


def test_a_renewed_lease_keeps_the_job_from_others(ledger: Ledger, database: Database) -> None:
    claim = claimed(ledger, submit(ledger))
    lose_worker(database, claim.id)
    assert ledger.renew(claim, 30) is Renewal.HELD
    assert ledger.claim(claim.id, "w2", 30) is None
    assert ledger.finish(claim, {})


def test_jobs_of_workers_that_nobody_hears_of_can_be_taken_over_at_once(ledger: Ledger) -> None:
    lost, kept = (claimed(ledger, submit(ledger), worker) for worker in ("w1", "w2"))
    assert ledger.recover(["w2"]) == [Recovered(lost.id, "canary", "w1")]
    assert claimed(ledger, lost.id, "w3").kills == 1
    assert ledger.claim(kept.id, "w3", 30) is None


def test_a_worker_believed_dead_cannot_write_over_its_successor(ledger: Ledger, database: Database) -> None:
    first = claimed(ledger, submit(ledger))
    lose_worker(database, first.id)
    second = claimed(ledger, first.id, "w2")
    assert second.lease_token > first.lease_token
    assert (second.attempt, second.kills) == (1, 1), "a worker that vanishes costs the job no attempt"
    assert ledger.renew(first, 30) is Renewal.LOST
    assert ledger.progress(first, 0.9) is Renewal.LOST
    assert not ledger.finish(first, {"by": "first"})
    assert ledger.fail(first, FAILURE) is None
    assert ledger.defer(first, FAILURE, 1) is None
    assert not ledger.release(first, "too late")
    assert not ledger.cancelled(first)
    assert ledger.finish(second, {"by": "second"})
    job = ledger.get(first.id)
    assert job is not None
    assert (job.result, job.worker) == ({"by": "second"}, "w2")


def test_the_third_lost_worker_makes_a_job_poison(ledger: Ledger, database: Database) -> None:
    job_id = submit(ledger, max_attempts=10)
    for _ in range(3):
        claimed(ledger, job_id)
        lose_worker(database, job_id)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: ledger.claim(job_id, f"w{n}", 30), range(32)))
    # Whoever buries it counts it, so that it is counted once.
    assert [answer for answer in answers if answer] == [Abandoned("canary", State.DEAD)]
    job = ledger.get(job_id)
    assert job is not None
    assert (job.state, job.kills, job.error_type) == (State.DEAD, 3, "WorkerLost")
    assert job.message == "The worker w1 vanished while running attempt 1 of 10 (lost 3 worker(s) in all)."
    assert states(ledger, job_id)[-1] == "dead"


def test_a_lost_worker_does_not_end_a_job_in_its_last_attempt(ledger: Ledger, database: Database) -> None:
    job_id = submit(ledger, max_attempts=1)
    claimed(ledger, job_id)
    lose_worker(database, job_id)
    again = claimed(ledger, job_id, "w2")
    assert (again.attempt, again.kills) == (1, 1)


def test_a_process_killed_for_the_third_time_makes_a_job_poison(ledger: Ledger, database: Database) -> None:
    """Whether the worker died with it or not."""
    job_id = submit(ledger, max_attempts=10)
    claimed(ledger, job_id)
    lose_worker(database, job_id)
    killed = replace(FAILURE, killed=True)
    assert ledger.fail(claimed(ledger, job_id), killed, retry_in_s=0) is State.RETRYING
    assert ledger.fail(claimed(ledger, job_id), killed, retry_in_s=0, peak_memory_bytes=7) is State.DEAD
    job = ledger.get(job_id)
    assert job is not None
    assert (job.kills, job.attempt, job.peak_memory_bytes) == (3, 2, 7)


def test_what_the_stack_did_costs_no_attempt(ledger: Ledger, database: Database) -> None:
    job_id, fault = submit(ledger, max_attempts=1), replace(FAILURE, fault=Fault.STACK)
    for deferrals in range(1, 6):
        claim = claimed(ledger, job_id)
        assert (claim.attempt, claim.deferrals) == (1, deferrals - 1)
        assert ledger.defer(claim, fault, 60, peak_memory_bytes=5) is State.RETRYING
        assert ledger.claim(job_id, "w2", 30) is None, "it waits for its time"
        age(database, job_id, 120)
    job = ledger.get(job_id)
    assert job is not None
    assert (job.attempt, job.deferrals, job.peak_memory_bytes) == (0, 5, 5)
    assert job.failure == replace(fault, message="bad\\x00 input")
    assert ledger.finish(claimed(ledger, job_id), {})
    done = ledger.get(job_id)
    assert done is not None
    assert (done.state, done.attempt, done.failure, done.fault) == (State.SUCCEEDED, 1, None, None)


def test_a_job_that_the_stack_failed_ends_if_that_was_asked_for(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.request_cancel(claim.id)
    assert ledger.defer(claim, replace(FAILURE, fault=Fault.STACK), 60) is State.CANCELLED
    job = ledger.get(claim.id)
    assert job is not None
    assert (job.state, job.retry_at) == (State.CANCELLED, None)
    assert job.finished_at is not None
    assert states(ledger, claim.id)[-1] == "cancelled"


def test_a_failed_job_is_dead_and_says_why(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger))
    assert ledger.fail(claim, FAILURE, peak_memory_bytes=5) is State.DEAD
    job = ledger.get(claim.id)
    assert job is not None
    assert job.failure == Failure("ValueError", "bad\\x00 input", "Traceback …", "f1")
    assert job.finished_at is not None
    assert ledger.events(claim.id)[-1].note == "ValueError: bad\\x00 input"


def test_a_note_has_the_first_500_characters(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.progress(claim, 0.5, "n" * 501)
    job = ledger.get(claim.id)
    assert job is not None
    assert job.note == "n" * 500
    ledger.fail(claim, replace(FAILURE, message="m" * 500))
    assert ledger.events(claim.id)[-1].note == f"ValueError: {'m' * 488}"


def test_a_retry_waits_for_its_time_and_ends_with_the_attempts(ledger: Ledger, database: Database) -> None:
    claim = claimed(ledger, submit(ledger, max_attempts=2))
    assert ledger.fail(claim, FAILURE, retry_in_s=60) is State.RETRYING
    assert ledger.claim(claim.id, "w2", 30) is None
    age(database, claim.id, 120)
    again = claimed(ledger, claim.id)
    assert (again.attempt, again.kills) == (2, 0)
    assert ledger.fail(again, FAILURE, retry_in_s=60) is State.DEAD


def test_a_released_job_keeps_its_attempt_and_its_token_grows(ledger: Ledger) -> None:
    first = claimed(ledger, submit(ledger, max_attempts=1))
    assert ledger.release(first, "shutting down")
    second = claimed(ledger, first.id, "w2")
    assert second.attempt == 1
    assert second.lease_token > first.lease_token
    assert ledger.release(second, "breaker open", delay_s=60)
    assert ledger.claim(first.id, "w3", 30) is None
    job = ledger.get(first.id)
    assert job is not None
    assert (job.state, job.attempt, job.worker) == (State.RETRYING, 0, None)


def test_a_waiting_job_is_cancelled_at_once(ledger: Ledger) -> None:
    job_id = submit(ledger)
    job = ledger.request_cancel(job_id)
    assert job is not None
    assert job.state is State.CANCELLED
    assert ledger.request_cancel(job_id) is None
    assert ledger.claim(job_id, "w1", 30) is None


def test_a_running_job_hears_of_its_cancellation(ledger: Ledger, database: Database) -> None:
    claim = claimed(ledger, submit(ledger))
    job = ledger.request_cancel(claim.id)
    assert job is not None
    assert job.state is State.RUNNING
    assert ledger.renew(claim, 30) is Renewal.CANCEL
    assert ledger.progress(claim, 0.5) is Renewal.CANCEL
    assert ledger.cancelled(claim, "stopped by SIGTERM")
    assert states(ledger, claim.id) == ["queued", "running", "running", "cancelled"]


def test_a_cancelled_job_whose_worker_vanished_ends_as_cancelled(ledger: Ledger, database: Database) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.request_cancel(claim.id)
    lose_worker(database, claim.id)
    assert ledger.claim(claim.id, "w2", 30) == Abandoned("canary", State.CANCELLED)
    job = ledger.get(claim.id)
    assert job is not None
    assert job.state is State.CANCELLED


def test_one_key_makes_one_job_however_many_ask(ledger: Ledger) -> None:
    def ask(_: int) -> tuple[UUID, bool]:
        submission = ledger.submit("canary", {"b": 1, "a": [1.5, None]}, idempotency_key="k1")
        return submission.job.id, submission.created

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert len({job_id for job_id, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1
    assert not ledger.submit("canary", {"a": [1.5, None], "b": 1}, idempotency_key="k1").created
    with pytest.raises(IdempotencyConflict):
        ledger.submit("canary", {"a": 2}, idempotency_key="k1")
    with pytest.raises(IdempotencyConflict):
        ledger.submit("other", {"b": 1, "a": [1.5, None]}, idempotency_key="k1")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "Out of range float values are not JSON compliant"),
        (float("inf"), "Out of range float values are not JSON compliant"),
        ("a\x00b", "a text holds a NUL character"),
        ("\ud800", "surrogates not allowed"),
        (object(), "Object of type object is not JSON serializable"),
    ],
    ids=["nan", "inf", "NUL", "surrogate", "object"],
)
def test_what_is_not_json_to_postgres_is_refused(ledger: Ledger, value: object, why: str) -> None:
    with pytest.raises(UnstorableValue, match=f"not storable as JSON: .*{why}"):
        ledger.submit("canary", {"value": value})
    claim = claimed(ledger, submit(ledger))
    with pytest.raises(UnstorableValue):
        ledger.finish(claim, {"value": value})
    assert ledger.fail(claim, FAILURE) is State.DEAD


class TestSweeper:
    def test_a_fresh_job_is_not_sent_again(self, ledger: Ledger) -> None:
        submit(ledger)
        assert sweep(ledger) == []

    def test_a_job_that_was_never_sent_is_overdue_at_once(self, ledger: Ledger) -> None:
        job_id = submit(ledger)
        ledger.unsent(job_id)
        assert sweep(ledger) == [job_id]
        assert sweep(ledger) == []

    def test_a_failed_sending_leaves_the_job_overdue(self, ledger: Ledger) -> None:
        job_id = submit(ledger)
        ledger.unsent(job_id)
        with pytest.raises(RuntimeError, match="Redis is away"), ledger.overdue():
            raise RuntimeError("Redis is away")
        assert sweep(ledger) == [job_id]

    def test_each_repetition_waits_longer(self, ledger: Ledger, database: Database) -> None:
        job_id = submit(ledger)
        age(database, job_id, 45)
        assert sweep(ledger) == []
        age(database, job_id, 20)
        assert sweep(ledger) == [job_id]
        age(database, job_id, 65)
        assert sweep(ledger) == []
        age(database, job_id, 60)
        assert sweep(ledger) == [job_id]

    def test_a_forgetful_transport_gets_everything_again(self, ledger: Ledger) -> None:
        job_id = submit(ledger)
        claimed(ledger, submit(ledger))
        assert sweep(ledger, all_sent=True) == [job_id]

    def test_a_vanished_workers_job_is_overdue_once_the_lease_ends(self, ledger: Ledger, database: Database) -> None:
        claim = claimed(ledger, submit(ledger))
        assert sweep(ledger) == []
        lose_worker(database, claim.id)
        with ledger.overdue() as due:
            assert due == [Due(claim.id, "canary", taken_over=True, delay_s=0.0)]
        assert sweep(ledger) == []

    def test_a_worker_that_beats_keeps_its_job_for_a_while_beyond_its_lease(
        self, ledger: Ledger, database: Database
    ) -> None:
        claim = claimed(ledger, submit(ledger), "w1")
        lose_worker(database, claim.id, since_s=SPARE_S - 5)
        assert sweep(ledger, beating=["w1"]) == []
        assert ledger.renew(claim, 30) is Renewal.HELD
        lose_worker(database, claim.id, since_s=SPARE_S - 5)
        assert sweep(ledger, beating=["w2"]) == [claim.id]
        lose_worker(database, claim.id, since_s=SPARE_S + 1)
        assert sweep(ledger, beating=["w1"]) == [claim.id]

    def test_leases_of_a_worker_that_is_known_to_be_gone_end_at_once(self, ledger: Ledger) -> None:
        mine, other = claimed(ledger, submit(ledger), "w1"), claimed(ledger, submit(ledger), "w2")
        assert ledger.end_leases("w1") == 1
        assert sweep(ledger, beating=["w1", "w2"]) == [mine.id]
        assert claimed(ledger, mine.id, "w1").kills == 1
        assert ledger.renew(other, 30) is Renewal.HELD
        assert ledger.end_leases("w3") == 0

    def test_a_retry_is_overdue_only_after_its_time(self, ledger: Ledger, database: Database) -> None:
        claim = claimed(ledger, submit(ledger))
        ledger.fail(claim, FAILURE, retry_in_s=30)
        assert sweep(ledger) == []
        age(database, claim.id, 33)
        assert sweep(ledger) == []
        age(database, claim.id, 5)
        assert sweep(ledger) == [claim.id]

    def test_two_sweepers_do_not_work_at_once(self, ledger: Ledger) -> None:
        job_id = submit(ledger)
        ledger.unsent(job_id)
        with ledger.overdue() as mine, ledger.overdue() as theirs:
            assert (mine, theirs) == ([Due(job_id, "canary", taken_over=False, delay_s=0.0)], [])

    def test_a_worker_may_claim_while_the_sweeper_sends(self, ledger: Ledger) -> None:
        job_id = submit(ledger)
        ledger.unsent(job_id)
        with ledger.overdue() as due:
            assert due == [Due(job_id, "canary", taken_over=False, delay_s=0.0)]
            claim = claimed(ledger, job_id)
        assert ledger.finish(claim, {})


def test_the_beginning_of_an_id_finds_its_jobs_alone(ledger: Ledger) -> None:
    ids = [submit(ledger) for _ in range(40)]
    for length in (1, 4, 9, 13, 36):
        beginning = str(ids[0])[:length]
        found, _ = ledger.list_jobs(beginning=beginning)
        assert {job.id for job in found} == {each for each in ids if str(each).startswith(beginning)}
    assert ids[0] in {job.id for job in ledger.list_jobs(beginning=str(ids[0])[:8].upper())[0]}


def test_pages_hold_every_job_once_newest_first(ledger: Ledger) -> None:
    ids = [submit(ledger) for _ in range(7)]
    other = ledger.submit("other", {}).job.id
    seen: list[UUID] = []
    cursor: str | None = None
    while True:
        jobs, cursor = ledger.list_jobs(limit=3, cursor=cursor)
        seen += [job.id for job in jobs]
        if cursor is None:
            break
    assert seen == [other, *reversed(ids)]
    assert [job.id for job in ledger.list_jobs(type="other")[0]] == [other]
    assert ledger.list_jobs(state=State.DEAD) == ([], None)
    with pytest.raises(ValueError, match="not a cursor"):
        ledger.list_jobs(cursor="nonsense")


def test_lists_leave_out_what_may_be_large(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger))
    ledger.fail(claim, FAILURE)
    (job,), _ = ledger.list_jobs()
    assert (job.error_type, job.traceback, job.result) == ("ValueError", None, None)


def test_what_is_counted_could_go_on_now_or_runs_or_is_dead_for_somebody_to_look_at(
    ledger: Ledger, database: Database
) -> None:
    def counted() -> tuple[int, ...]:
        found = ledger.counts()
        return tuple(found[state] for state in (State.QUEUED, State.RETRYING, State.RUNNING, State.DEAD))

    def of(job_type: str) -> Claim:
        return claimed(ledger, ledger.submit(job_type, {}).job.id)

    assert counted() == (0, 0, 0, 0)
    submit(ledger)
    submit(ledger, not_before=datetime.now(UTC) + timedelta(days=1))
    retried = claimed(ledger, submit(ledger))
    ledger.fail(retried, FAILURE, retry_in_s=60)
    ledger.fail(claimed(ledger, submit(ledger)), FAILURE)
    assert counted() == (1, 0, 0, 1)
    age(database, retried.id, 120)
    assert counted() == (1, 1, 0, 1), "its time has come"
    of("sweep")
    ledger.submit("sweep", {})
    assert counted() == (2, 1, 1, 1)
    Queues(database).set("sweep", paused=True, by="anna")
    assert counted() == (1, 1, 1, 1), "what is paused does not wait, and what runs goes on"
    ledger.submit("failing_canary", {})
    of("failing_canary")
    ledger.fail(of("failing_canary"), FAILURE)
    ledger.fail(of("set_aside"), FAILURE)
    assert counted() == (1, 1, 1, 2), "what fails on purpose is nobody's work"
    DeadLetters(database).quarantine("set_aside", "known", "anna")
    assert counted() == (1, 1, 1, 1)


def test_unknown_jobs(ledger: Ledger) -> None:
    assert ledger.get(uuid4()) is None
    assert ledger.claim(uuid4(), "w1", 30) is None
    assert ledger.request_cancel(uuid4()) is None


def test_a_lease_runs_out_by_itself(ledger: Ledger) -> None:
    claim = claimed(ledger, submit(ledger), lease_s=0.3)
    until(lambda: sweep(ledger) == [claim.id], "the lease ends", 5)
    assert claimed(ledger, claim.id, "w2").kills == 1
