"""The halt of the whole stack, on a real Postgres: no way in, no way to start, and nothing lost by it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from services.common.database import Database
from services.common.ledger import (
    Claim,
    DeadLetters,
    Failure,
    Fault,
    Halts,
    Ledger,
    QueueClosed,
    Queues,
    Schedules,
    StackHalted,
    State,
)
from services.common.settings import Settings
from tests.integration.services.conftest import KEY

pytestmark = pytest.mark.integration

ECHO = {"type": "echo", "payload": {"text": "x"}}
BY_ANA = KEY | {"X-Requested-By": "ana@desk"}
WHY = {"reason": "fills look wrong"}
HARMLESS = ("canary", "failing_canary")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings, "halt-test", max_size=12, timeout_s=20)
    database.open()
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, {"own_limit": 1})


@pytest.fixture
def halts(database: Database) -> Halts:
    return Halts(database)


def submit(ledger: Ledger, job_type: str = "sweep", **options: object) -> UUID:
    return ledger.submit(job_type, {}, **options).job.id  # type: ignore[arg-type]


def claim(ledger: Ledger, job_id: UUID, worker: str = "w1") -> Claim | None:
    found = ledger.claim(job_id, worker, 30)
    assert found is None or isinstance(found, Claim)
    return found


def held(ledger: Ledger, job_id: UUID) -> Claim:
    found = claim(ledger, job_id)
    assert found
    return found


def sendable(ledger: Ledger, **options: float) -> list[UUID]:
    with ledger.overdue(**options) as due:  # type: ignore[arg-type]
        return [each.id for each in due]


@pytest.mark.parametrize("job_type", ["sweep", "own_limit", "ruled"])
def test_nothing_starts_and_what_waits_keeps_its_place(
    ledger: Ledger, halts: Halts, database: Database, job_type: str
) -> None:
    Queues(database).set("ruled", max_running=4, limited=True, by="anna")
    first, second = submit(ledger, job_type), submit(ledger, job_type)
    halts.halt(by="ana", reason="why")
    assert [claim(ledger, each) for each in (second, first)] == [None, None]
    assert sendable(ledger, resend_s=0) == []
    found = ledger.get(first)
    assert found
    assert (found.state, found.attempt, found.started_at) == (State.QUEUED, 0, None)
    halts.resume(by="ana")
    assert sendable(ledger) == ([first] if job_type == "own_limit" else [first, second])
    assert held(ledger, first).attempt == 1


def test_what_runs_ends_as_ever_and_what_was_lost_or_failed_waits(
    ledger: Ledger, halts: Halts, database: Database
) -> None:
    ends, lost, again = (held(ledger, submit(ledger)) for _ in range(3))
    halts.halt(by="ana", reason="why")
    assert ledger.finish(ends, {})
    assert ledger.defer(again, Failure("E", "m", fault=Fault.STACK), 0.0) is State.RETRYING
    database.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE id = %(id)s", {"id": lost.id})
    assert (claim(ledger, lost.id, "w2"), claim(ledger, again.id), sendable(ledger, grace_s=0)) == (None, None, [])
    halts.resume(by="ana")
    database.execute("UPDATE job SET sent_at = NULL WHERE id = %(id)s", {"id": lost.id})
    assert set(sendable(ledger, grace_s=0)) == {lost.id, again.id}
    assert claim(ledger, lost.id, "w2")


def test_parts_wait_and_so_does_the_whole(ledger: Ledger, halts: Halts) -> None:
    whole = held(ledger, submit(ledger))
    halts.halt(by="ana", reason="why")
    split = ledger.parted.split(whole, 2)
    assert split
    assert [claim(ledger, part) for part in split[1]] == [None, None]
    halts.resume(by="ana")
    for part in split[1]:
        assert ledger.finish(held(ledger, part), {})
    halts.halt(by="ana", reason="again")
    assert ledger.parted.settle(whole.id, by="w1") is State.QUEUED
    assert claim(ledger, whole.id) is None
    halts.resume(by="ana")
    assert claim(ledger, whole.id)


def test_no_way_in_is_open_but_for_canaries(ledger: Ledger, halts: Halts, database: Database) -> None:
    dead = held(ledger, submit(ledger))
    assert ledger.fail(dead, Failure("E", "m")) is State.DEAD
    schedules = Schedules(database)
    for job_type in ("sweep", "canary"):
        schedules.put(job_type, job_type, {}, cron="* * * * *", zone="UTC", by="ana")
    known = ledger.submit("sweep", {}, idempotency_key="k").job.id
    halts.halt(by="ana", reason="fills look wrong.")
    with pytest.raises(StackHalted, match=r"^ana halted the stack at 20.* UTC: fills look wrong\. Resume it: "):
        ledger.submit("sweep", {})
    with pytest.raises(StackHalted):
        ledger.submit("sweep", {}, not_before=datetime.now(UTC) + timedelta(days=1))
    again = ledger.submit("sweep", {}, idempotency_key="k")
    assert (again.created, again.job.id) == (False, known)
    with pytest.raises(StackHalted):
        DeadLetters(database).replay(dead.id)
    assert DeadLetters(database).replay(known) is None
    assert schedules.make_due(now=datetime.now(UTC) + timedelta(seconds=61)) == 1
    assert [each.missed for each in schedules.listed()] == [0, 1]
    for job_type in HARMLESS:
        assert ledger.finish(held(ledger, submit(ledger, job_type)), {})
    Queues(database).set("canary", closed=True, reason="upgrade", by="ana")
    with pytest.raises(QueueClosed):
        ledger.submit("canary", {})
    halts.resume(by="ana")
    assert DeadLetters(database).replay(dead.id)


def test_what_waits_is_no_work_for_anybody_while_halted(ledger: Ledger, halts: Halts) -> None:
    submit(ledger)
    submit(ledger, "canary")
    halts.halt(by="ana", reason="why")
    assert ledger.counts()[State.QUEUED] == 1
    halts.resume(by="ana")
    assert ledger.counts()[State.QUEUED] == 2


def test_the_first_of_two_halts_counts_and_each_is_kept(halts: Halts, database: Database) -> None:
    assert halts.latest() is None
    halts.resume(by="bob")
    assert halts.latest() is None
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: halts.halt(by=f"p{number}", reason="why"), range(8)))
    found = halts.latest()
    assert found
    assert found.in_force
    halts.halt(by="late", reason="other")
    assert halts.latest() == found
    halts.resume(by="bob", reason="over")
    halts.resume(by="late", reason="again")
    found = halts.latest()
    assert found
    assert (found.in_force, found.ended_by, found.ended_reason) == (False, "bob", "over")
    halts.halt(by="eve", reason="next")
    assert database.rows("SELECT by FROM halt WHERE ended_at IS NULL") == [{"by": "eve"}]
    assert database.rows("SELECT count(*) AS halts FROM halt") == [{"halts": 2}]


def test_no_claim_begins_after_the_halt_however_many_ask(ledger: Ledger, halts: Halts, database: Database) -> None:
    jobs = [submit(ledger) for _ in range(300)]
    begun = threading.Event()

    def take(job: UUID) -> Claim | None:
        found = claim(ledger, job)
        begun.set()
        return found

    with ThreadPoolExecutor(8) as pool:
        claims = [pool.submit(take, job) for job in jobs]
        begun.wait(60)
        halts.halt(by="ana", reason="why")
        started = [found for found in (each.result() for each in claims) if found]
    (late,) = database.rows(
        "SELECT count(*) AS jobs, count(*) FILTER (WHERE started_at > (SELECT at FROM halt) + interval '1 second')"
        " AS late, max(attempt) AS most FROM job WHERE state = 'running'"
    )
    assert (late["jobs"], late["late"], late["most"]) == (len(started), 0, 1)
    assert 0 < len(started) < len(jobs)
    halts.resume(by="ana")
    assert len(sendable(ledger)) == len(jobs) - len(started)


def test_the_halt_over_http(api: httpx.Client) -> None:
    assert api.get("/halt").json() == {
        "halted": False,
        **dict.fromkeys(("at", "by", "reason", "ended_at", "ended_by", "ended_reason")),
    }
    waits = api.post("/jobs", json=ECHO, headers=KEY).json()
    halted = api.post("/halt", json=WHY, headers=BY_ANA)
    assert (halted.status_code, halted.json()) == (200, api.get("/halt").json())
    assert (halted.json()["halted"], halted.json()["by"], halted.json()["reason"]) == (True, "ana@desk", WHY["reason"])
    refused = api.post("/jobs", json=ECHO, headers=KEY)
    assert (refused.status_code, refused.json()["title"]) == (423, "Locked")
    since = datetime.fromisoformat(halted.json()["at"])
    assert refused.json()["detail"] == (
        f"ana@desk halted the stack at {since:%Y-%m-%d %H:%M:%S} UTC: fills look wrong. Resume it: tradebot resume."
    )
    assert api.post("/halt", json={"reason": "other"}, headers=KEY).json() == halted.json()
    assert api.get(f"/jobs/{waits['id']}").json()["state"] == "queued"
    resumed = api.delete("/halt", params={"reason": "all is well"}, headers=BY_ANA)
    assert (resumed.status_code, resumed.json()["halted"], resumed.json()["ended_reason"]) == (
        200,
        False,
        "all is well",
    )
    assert api.post("/jobs", json=ECHO, headers=KEY).status_code == 202
    assert api.delete("/halt", headers=KEY).json() == resumed.json()


def test_a_halt_needs_the_key_and_a_reason(api: httpx.Client) -> None:
    assert (api.post("/halt", json=WHY).status_code, api.delete("/halt").status_code) == (401, 401)
    for wrong in ({}, {"reason": ""}, WHY | {"by": "me"}, {"reason": "x\0"}):
        assert api.post("/halt", json=wrong, headers=KEY).status_code == 422
    assert not api.get("/halt").json()["halted"]
