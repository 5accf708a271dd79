"""The past of the ledger on a real Postgres: figures, what is forgotten and when, and that counting stays cheap."""

import time
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import httpx
import psycopg
import pytest

from services.api.dependencies import Dependencies, make_dependencies
from services.api.housekeeping import prune
from services.common import heartbeats
from services.common.database import Database
from services.common.jobtypes import registry
from services.common.ledger import Claim, DeadLetters, Failure, History, Ledger, State, sql
from services.common.ledger import dead_letters as dead_letters_sql
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.services.conftest import KEY
from tests.services.past_jobs import add_dead, add_ended

pytestmark = pytest.mark.integration

DAY = 86_400.0
ALL = (State.SUCCEEDED, State.DEAD, State.CANCELLED)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings, "test")) as database:
        database.open()
        yield database


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def past(settings: Settings) -> Iterator[psycopg.Connection]:
    """40 000 jobs that ended within the last 28 hours, 10 000 dead ones of the last five minutes."""
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value(), autocommit=True) as connection:
        add_ended(connection, range(1, 40_001))
        add_dead(connection, range(1, 10_001))
        connection.execute("VACUUM ANALYZE job")
        yield connection


def finished(ledger: Ledger, *, key: str | None = None) -> UUID:
    job = ledger.submit("echo", {"text": "x"}, idempotency_key=key).job
    claim = ledger.claim(job.id, "w1", 30)
    assert isinstance(claim, Claim)
    assert ledger.finish(claim, {"ok": True}, peak_memory_bytes=1000)
    return job.id


def beat(settings: Settings, name: str) -> None:
    heartbeats.beat(redis_client(settings), heartbeats.Heartbeat(name, "busy", 1, time.time()))


def age(database: Database, days: float) -> None:
    query = "UPDATE job SET finished_at = finished_at - make_interval(secs => %(s)s)"
    database.execute(query, {"s": days * DAY})


def test_the_dead_are_counted_and_grouped_from_their_index(past: psycopg.Connection) -> None:
    plans = [
        "\n".join(row[0] for row in past.execute("EXPLAIN (ANALYZE, BUFFERS) " + query, {"limit": 100}))
        for query in (sql.COUNTS, dead_letters_sql.GROUPS)
    ]
    for plan in plans:
        assert "Index Only Scan using job_dead_by_group" in plan, plan
        assert "Seq Scan on job" not in plan, plan


def test_what_ended_lately_is_found_by_its_index(past: psycopg.Connection) -> None:
    query = "EXPLAIN SELECT count(*) FROM job WHERE finished_at > now() - interval '1 hour'"
    assert "job_finished" in "\n".join(row[0] for row in past.execute(query))


def test_jobs_are_forgotten_oldest_first_and_only_those_that_are_over(
    past: psycopg.Connection, database: Database
) -> None:
    history = History(database)
    old = history.prunable(DAY, ALL)
    assert 4000 < old < 6000
    assert history.prunable(DAY, (State.QUEUED, State.RUNNING)) == 0
    (oldest,) = past.execute("SELECT id FROM job ORDER BY finished_at LIMIT 1").fetchall()
    assert history.prune(DAY, ALL, limit=1) == 1
    for table, column in (("job", "id"), ("job_event", "job_id")):
        assert past.execute(f"SELECT FROM {table} WHERE {column} = %s", oldest).fetchone() is None
    removed = 1
    while gone := history.prune(DAY, ALL):
        removed += gone
    assert removed == pytest.approx(old, abs=5)
    assert past.execute("SELECT count(*) FROM job").fetchone() == (50_000 - removed,)


def test_a_key_is_forgotten_with_its_job_and_no_sooner(ledger: Ledger, database: Database) -> None:
    first = finished(ledger, key="nightly-1")
    age(database, 10)
    history = History(database)
    assert history.prune(11 * DAY, ALL) == 0
    assert ledger.submit("echo", {"text": "x"}, idempotency_key="nightly-1").job.id == first
    assert history.prune(9 * DAY, ALL) == 1
    assert ledger.submit("echo", {"text": "x"}, idempotency_key="nightly-1").created


@pytest.mark.parametrize(("days", "left"), [(0, {"succeeded", "dead"}), (10, {"succeeded", "dead"}), (9, {"dead"})])
def test_the_api_forgets_what_its_setting_says_but_never_the_dead(
    settings: Settings, ledger: Ledger, database: Database, days: int, left: set[str]
) -> None:
    finished(ledger)
    claim = ledger.claim(ledger.submit("echo", {}).job.id, "w1", 30)
    assert isinstance(claim, Claim)
    ledger.fail(claim, Failure("ValueError", "x", fingerprint="f"))
    age(database, 9.5)
    dependencies: Dependencies = make_dependencies(settings.model_copy(update={"job_retention_days": days}), registry())
    dependencies.open()
    try:
        assert prune(dependencies) is False
    finally:
        dependencies.close()
    assert {job.state.value for job in ledger.list_jobs()[0]} == left


def test_figures_of_each_type(api: httpx.Client, ledger: Ledger, database: Database) -> None:
    for _ in range(3):
        finished(ledger)
    query = """UPDATE job SET started_at = submitted_at + interval '2 seconds',
        finished_at = submitted_at + interval '5 seconds'"""
    database.execute(query)
    claim = ledger.claim(ledger.submit("sweep", {}).job.id, "w1", 30)
    assert isinstance(claim, Claim)
    ledger.fail(claim, Failure("ValueError", "x", fingerprint="f"))
    answer = api.get("/jobs/stats").json()
    assert answer["complete"] is True
    echo, sweep = answer["types"]
    assert (echo["type"], echo["jobs"], echo["succeeded"], echo["dead"]) == ("echo", 3, 3, 0)
    assert (echo["took_median_s"], echo["took_p95_s"], echo["waited_median_s"]) == (3, 3, 2)
    assert echo["peak_memory_bytes"] == 1000
    assert (sweep["type"], sweep["dead"]) == ("sweep", 1)
    assert [each["type"] for each in api.get("/jobs/stats", params={"type": "sweep"}).json()["types"]] == ["sweep"]
    assert api.get("/jobs/stats", params={"since_s": 0}).status_code == 422
    assert api.get("/jobs/stats", params={"type": "a\x00"}).status_code == 422


def test_prune_over_http(api: httpx.Client, ledger: Ledger, database: Database) -> None:
    job = finished(ledger)
    age(database, 31)
    body = {"older_than_s": 30 * DAY, "states": ["succeeded"]}
    assert api.post("/jobs/prune", json=body).status_code == 401
    assert api.post("/jobs/prune", json=body | {"dry_run": True}, headers=KEY).json() == {"jobs": 1, "more": False}
    assert api.post("/jobs/prune", json=body | {"states": ["cancelled"]}, headers=KEY).json()["jobs"] == 0
    assert api.get(f"/jobs/{job}").status_code == 200
    assert api.post("/jobs/prune", json=body, headers=KEY).json() == {"jobs": 1, "more": False}
    assert api.get(f"/jobs/{job}").status_code == 404
    refused = api.post("/jobs/prune", json=body | {"states": ["running"]}, headers=KEY)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "states")


def test_what_is_in_quarantine_counts_nowhere_until_it_is_lifted(
    api: httpx.Client, ledger: Ledger, database: Database
) -> None:
    for kind, group in (("echo", "f"), ("echo", "g"), ("sweep", "h")):
        claim = ledger.claim(ledger.submit(kind, {}).job.id, "w1", 30)
        assert isinstance(claim, Claim)
        ledger.fail(claim, Failure("ValueError", "x", fingerprint=group))
    dead_letters = DeadLetters(database)

    def counted() -> tuple[int, set[str]]:
        aside = {group.fingerprint for group in dead_letters.groups() if group.quarantined}
        return ledger.counts()[State.DEAD], aside

    path = "/dead-letters/quarantine"
    assert counted() == (3, set())
    assert api.put(f"{path}/f", json={"reason": "known"}).status_code == 401
    headers = KEY | {"X-Requested-By": "ana@desk"}
    made = api.put(f"{path}/f", json={"reason": "delisted"}, headers=headers).json()
    assert (made["name"], made["reason"], made["by"]) == ("f", "delisted", "ana@desk")
    assert counted() == (2, {"f"})
    api.put(f"{path}/echo", json={}, headers=KEY)
    assert counted() == (1, {"f", "g"})
    assert [each["name"] for each in api.get(path).json()["quarantined"]] == ["echo", "f"]
    assert api.delete(f"{path}/echo", headers=KEY).status_code == 204
    assert api.delete(f"{path}/echo", headers=KEY).status_code == 404
    assert counted() == (2, {"f"})


def test_jobs_of_vanished_workers_are_recovered_and_those_of_others_left(
    api: httpx.Client, ledger: Ledger, settings: Settings
) -> None:
    gone, kept = (ledger.submit("echo", {"text": "x"}).job.id for _ in range(2))
    assert isinstance(ledger.claim(gone, "w-gone", 600), Claim)
    held = ledger.claim(kept, "w-here", 600)
    assert isinstance(held, Claim)
    beat(settings, "w-here")
    answer = api.post("/jobs/recover", headers=KEY | {"X-Requested-By": "ana@desk"})
    assert (answer.status_code, answer.json()["jobs"]) == (
        202,
        [{"id": str(gone), "type": "echo", "worker": "w-gone"}],
    )
    event = ledger.events(gone)[-1]
    assert (event.by, event.note) == ("ana@desk", "recovered: its worker w-gone has vanished")
    assert isinstance(ledger.claim(gone, "w-here", 30), Claim)
    assert ledger.finish(held, {"ok": True})
