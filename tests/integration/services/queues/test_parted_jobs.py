"""Jobs in parts on a real Postgres: the whole waits in the ledger, moves on once, and leaves nothing behind."""

from uuid import UUID

import pytest

from services.common.database import Database
from services.common.ledger import Claim, DeadLetters, Failure, Handover, History, Ledger, Queues, Renewal, State
from services.common.ledger.watch import Watch
from tradebot_ops.operations.backup import halt

pytestmark = pytest.mark.integration

FAILURE = Failure("ValueError", "bad input", "Traceback …", "f1")


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def claimed(ledger: Ledger, job_id: UUID, worker: str = "w1") -> Claim:
    claim = ledger.claim(job_id, worker, 30)
    assert isinstance(claim, Claim)
    return claim


def split(ledger: Ledger, count: int = 3) -> tuple[UUID, list[UUID]]:
    """A job that waits for its parts, and these."""
    job_id = ledger.submit("sweep", {"n": 1}, trace_id="t1").job.id
    answer = ledger.parted.split(claimed(ledger, job_id), count, peak_memory_bytes=500)
    assert answer
    assert answer[0] is State.RUNNING
    return job_id, answer[1]


def finish(ledger: Ledger, part: UUID, worker: str = "w1") -> State | None:
    claim = claimed(ledger, part, worker)
    assert ledger.finish(claim, {"part": claim.part}, peak_memory_bytes=1000)
    assert claim.parent
    return ledger.parted.settle(claim.parent, by=worker)


def state(ledger: Ledger, job_id: UUID) -> State | None:
    job = ledger.get(job_id)
    return job.state if job else None


def sweep(ledger: Ledger) -> set[UUID]:
    with ledger.overdue() as due:
        return {each.id for each in due}


def test_the_whole_is_queued_once_its_last_part_is_done(ledger: Ledger) -> None:
    whole, parts = split(ledger)
    part = ledger.get(parts[2])
    assert part
    assert (part.type, part.payload, part.trace_id, part.state) == ("sweep", {"n": 1}, "t1", State.QUEUED)
    assert [finish(ledger, each) for each in parts] == [None, None, State.QUEUED]
    joining = claimed(ledger, whole)
    assert (joining.attempt, joining.parent, joining.parts) == (1, None, 3)
    assert ledger.finish(joining, {"all": 3}, peak_memory_bytes=700)
    done = ledger.get(whole)
    assert done
    assert (done.state, done.result, done.peak_memory_bytes) == (State.SUCCEEDED, {"all": 3}, 1000)
    sweep(ledger)
    assert [state(ledger, each) for each in parts] == [None] * 3, "their results are in that of the whole"


def test_no_worker_is_held_by_what_waits(ledger: Ledger, database: Database) -> None:
    whole, parts = split(ledger)
    assert ledger.claim(whole, "w1", 30) is None, "a duplicate delivery"
    assert Handover(database).hand_over("w1", "killed", by="ana") == []
    assert ledger.recover([]) == []
    database.execute("UPDATE job SET sent_at = now() - interval '1 day' WHERE id = %(id)s", {"id": whole})
    assert whole not in sweep(ledger)
    queues = Queues(database)
    queues.set("sweep", by="ana", max_running=1, limited=True)
    first = claimed(ledger, parts[0])
    assert ledger.claim(parts[1], "w2", 30) is None, "a limit counts parts"
    assert ledger.finish(first, {})


def test_progress_is_that_of_all_parts(ledger: Ledger, database: Database) -> None:
    whole, parts = split(ledger, 4)
    finish(ledger, parts[0])
    assert ledger.progress(claimed(ledger, parts[1]), 0.5) is Renewal.HELD
    for seen in (ledger.get(whole), ledger.list_jobs()[0][0], Watch(database).look({whole: 0})[whole]):
        assert seen
        assert seen.progress == pytest.approx(0.375)
        assert seen.note == "1 of 4 parts done"


def test_people_see_the_whole_alone(ledger: Ledger, database: Database) -> None:
    whole, parts = split(ledger)
    assert [job.id for job in ledger.list_jobs()[0]] == [whole]
    assert [job.id for job in ledger.list_jobs(beginning=str(parts[0]))[0]] == [parts[0]], "logs name it"
    for each in parts:
        finish(ledger, each)
    assert History(database).stats(60) == []
    assert History(database).prune(-60, list(State)) == 0


def test_one_cancel_ends_waiting_and_running_parts(ledger: Ledger) -> None:
    whole, parts = split(ledger)
    held = claimed(ledger, parts[0])
    cancelled = ledger.request_cancel(whole, by="ana")
    assert cancelled
    assert (cancelled.state, state(ledger, whole)) == (State.CANCELLED, State.CANCELLED)
    assert ledger.renew(held, 30) is Renewal.LOST
    assert not ledger.finish(held, {})
    assert [ledger.claim(each, "w2", 30) for each in parts] == [None] * 3
    assert ledger.request_cancel(whole) is None, "it is over"


def test_a_cancel_that_comes_before_the_split_leaves_no_parts(ledger: Ledger, database: Database) -> None:
    job_id = ledger.submit("sweep", {}).job.id
    claim = claimed(ledger, job_id)
    ledger.request_cancel(job_id)
    assert ledger.parted.split(claim, 3) == (State.CANCELLED, [])
    assert state(ledger, job_id) is State.CANCELLED
    assert database.rows("SELECT id FROM job WHERE parent IS NOT NULL") == []


def test_a_dead_part_ends_the_whole_with_its_reason(ledger: Ledger, database: Database) -> None:
    whole, parts = split(ledger)
    running = claimed(ledger, parts[0], "w2")
    claim = claimed(ledger, parts[1])
    assert ledger.fail(claim, FAILURE) is State.DEAD
    assert ledger.parted.settle(whole, by="w1") is State.DEAD
    dead = ledger.get(whole)
    assert dead
    assert dead.failure == Failure("ValueError", "Part 2 of 3: bad input", "Traceback …", "f1")
    assert [state(ledger, each) for each in parts] == [None] * 3
    assert ledger.renew(running, 30) is Renewal.LOST
    letters = DeadLetters(database)
    assert [(group.jobs, group.fingerprint) for group in letters.groups()] == [(1, "f1")]
    assert letters.replay(whole)
    again = claimed(ledger, whole)
    assert again.parts is None, "how large it is, is found out anew"
    answer = ledger.parted.split(again, 2)
    assert answer
    assert len(answer[1]) == 2


def test_a_part_that_fails_is_repeated_alone_and_the_whole_tells_it(ledger: Ledger) -> None:
    whole, parts = split(ledger)
    assert ledger.fail(claimed(ledger, parts[1]), FAILURE, retry_in_s=0) is State.RETRYING
    assert ledger.parted.settle(whole, by="w1") is None
    assert [finish(ledger, each, "w2") for each in parts] == [None, None, State.QUEUED]
    told = [(event.by, event.note) for event in ledger.events(whole)]
    assert ("w1", "part 2 of 3: ValueError: bad input") in told
    assert ("w2", "part 2 of 3, attempt 2") in told


def test_what_a_worker_did_not_follow_up_the_sweeper_does(ledger: Ledger) -> None:
    """It was killed between the end of the last part and the move of the whole."""
    whole, parts = split(ledger)
    for each in parts:
        assert ledger.finish(claimed(ledger, each), {})
    assert state(ledger, whole) is State.RUNNING
    assert whole in sweep(ledger)
    assert state(ledger, whole) is State.QUEUED
    assert claimed(ledger, whole).parts == 3


def test_a_restored_ledger_goes_on_where_the_parts_were(ledger: Ledger, database: Database) -> None:
    whole, parts = split(ledger, 2)
    held = claimed(ledger, parts[0])
    database.execute(halt._VOID)
    assert {parts[0], parts[1]} <= sweep(ledger), "whoever had them is not there any more"
    assert ledger.claim(whole, "w2", 30) is None, "it waits as before"
    assert [finish(ledger, each, "w2") for each in parts] == [None, State.QUEUED]
    assert not ledger.finish(held, {})


def test_the_end_of_many_parts_at_once_moves_the_whole_once(ledger: Ledger) -> None:
    whole, parts = split(ledger, 2)
    for each in parts:
        assert ledger.finish(claimed(ledger, each), {})
    assert [ledger.parted.settle(whole, by=name) for name in ("w1", "w2")] == [State.QUEUED, None]


def test_a_split_is_fenced(ledger: Ledger, database: Database) -> None:
    job_id = ledger.submit("sweep", {}).job.id
    late = claimed(ledger, job_id)
    database.execute("UPDATE job SET lease_until = now() - interval '1 s' WHERE id = %(id)s", {"id": job_id})
    assert ledger.parted.split(claimed(ledger, job_id, "w2"), 2)
    assert ledger.parted.split(late, 5) is None


def test_a_purge_of_the_queue_leaves_parts_of_what_has_begun(ledger: Ledger, database: Database) -> None:
    _, parts = split(ledger)
    waiting = ledger.submit("sweep", {}).job.id
    assert Queues(database).purge("sweep", by="ana") == 1
    assert state(ledger, waiting) is State.CANCELLED
    assert [state(ledger, each) for each in parts] == [State.QUEUED] * 3


def test_a_part_that_was_cancelled_cancels_the_whole(ledger: Ledger) -> None:
    whole, parts = split(ledger)
    assert ledger.request_cancel(parts[0])
    sweep(ledger)
    assert state(ledger, whole) is State.CANCELLED
    assert state(ledger, parts[1]) is None
