"""An effect happens once: whatever is killed, stalled or lost between its steps."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest
from psycopg import sql

from services.common.database import Database
from services.common.jobtypes import LeaseLost
from services.common.ledger import Claim, DeadLetters, Failure, History, Ledger, Renewal, State
from services.common.settings import Settings
from services.worker.effect import once
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.rig import Desk
from tests.waiting import until

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]


def opened(settings: Settings) -> Connection:
    dsn = settings.postgres_dsn("job", statement_timeout_s=0, lock_timeout_s=0).get_secret_value()
    return psycopg.connect(dsn, autocommit=True)


@pytest.fixture
def lines(settings: Settings) -> Iterator[Connection]:
    """What jobs write."""
    with closing(opened(settings)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS line (job_id uuid NOT NULL)")
        connection.execute("TRUNCATE line")
        yield connection
        connection.execute("DROP TABLE line")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings, "effects-test", max_size=4)
    database.open()
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    """A job's own."""
    with closing(opened(settings)) as connection:
        yield connection


def claimed(ledger: Ledger, job_id: UUID) -> Claim:
    claim = ledger.claim(job_id, "w1", 30)
    assert isinstance(claim, Claim)
    return claim


def begun(ledger: Ledger) -> Claim:
    return claimed(ledger, ledger.submit("canary", {}).job.id)


def taken_over(lines: Connection, ledger: Ledger, claim: Claim) -> Claim:
    lines.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE id = %s", (claim.id,))
    return claimed(ledger, claim.id)


def write(
    connection: Connection, claim: Claim, key: str = "line", *, then: Callable[[], object] = lambda: None
) -> bool:
    """What a job does; ``then`` happens before its transaction ends."""
    with once(connection, str(claim.id), claim.lease_token, key) as transaction:
        if transaction is not None:
            transaction.execute("INSERT INTO line VALUES (%s)", (claim.id,))
            then()
        return transaction is not None


def count(lines: Connection, job_id: UUID, table: str = "line") -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE job_id = %s").format(sql.Identifier(table))
    row = lines.execute(query, (job_id,)).fetchone()
    assert row is not None
    return int(row[0])


def test_a_second_run_leaves_out_what_the_first_has_done(
    ledger: Ledger, connection: Connection, lines: Connection
) -> None:
    first = begun(ledger)
    assert write(connection, first)
    second = taken_over(lines, ledger, first)
    assert not write(connection, second)
    assert write(connection, second, "another")
    assert count(lines, first.id) == 2


def test_whoever_lost_its_lease_writes_nothing(ledger: Ledger, connection: Connection, lines: Connection) -> None:
    first, later = begun(ledger), list[Claim]()
    with pytest.raises(LeaseLost):
        write(connection, first, then=lambda: later.append(taken_over(lines, ledger, first)))
    assert count(lines, first.id) == 0
    assert write(connection, later[0])
    assert count(lines, first.id) == 1


def test_a_stalled_run_does_not_keep_its_successor_waiting(
    ledger: Ledger, connection: Connection, lines: Connection
) -> None:
    first = begun(ledger)
    with pytest.raises(LeaseLost):
        write(connection, first, then=lambda: write(lines, taken_over(lines, ledger, first)))
    assert count(lines, first.id) == 1


def test_the_lease_is_renewed_meanwhile(ledger: Ledger, connection: Connection, lines: Connection) -> None:
    claim, heard = begun(ledger), list[Renewal]()
    assert write(connection, claim, then=lambda: heard.append(ledger.renew(claim, 30)))
    assert heard == [Renewal.HELD]


def test_a_takeover_in_the_moment_of_the_commit_sees_the_effect(
    ledger: Ledger, connection: Connection, lines: Connection
) -> None:
    """It waits for the lock that the commit ends."""
    first = begun(ledger)
    second: list[Claim] = []
    with connection.transaction():
        write(connection, first)
        thread = threading.Thread(target=lambda: second.append(taken_over(lines, ledger, first)))
        thread.start()
        waiting = "SELECT FROM pg_locks WHERE NOT granted"
        until(lambda: connection.execute(waiting).fetchone() is not None, "the takeover waits")
        assert second == []
    thread.join(10)
    assert not write(connection, second[0])
    assert count(lines, first.id) == 1


def test_what_fails_inside_is_undone_and_done_by_the_next_run(
    ledger: Ledger, connection: Connection, lines: Connection
) -> None:
    claim = begun(ledger)
    with pytest.raises(ZeroDivisionError):
        write(connection, claim, then=lambda: 1 / 0)
    backend = connection.info.backend_pid
    with pytest.raises(psycopg.OperationalError):
        write(connection, claim, then=lambda: lines.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,)))
    assert count(lines, claim.id) == 0
    assert write(lines, claim)
    assert count(lines, claim.id) == 1


def test_with_a_job_its_effects_are_forgotten(
    database: Database, ledger: Ledger, connection: Connection, lines: Connection
) -> None:
    dead, done = begun(ledger), begun(ledger)
    assert write(connection, dead)
    assert write(connection, done)
    ledger.fail(dead, Failure("ValueError", "bad"))
    ledger.finish(done, {})
    assert DeadLetters(database).remove(dead.id)
    assert History(database).prune(-1, [State.SUCCEEDED]) >= 1
    assert [count(lines, each.id, "job_effect") for each in (dead, done)] == [0, 0]


@pytest.mark.parametrize(("stays", "wrote"), [("before", True), ("inside", True), ("after", False)])
@pytest.mark.parametrize("victim", ["process", "worker"])
def test_killed_at_any_step_it_is_done_once(
    desk: Desk, make_worker: MakeWorker, lines: Connection, tmp_path: Path, victim: str, stays: str, wrote: bool
) -> None:
    mark = tmp_path / "mark"
    workers = [make_worker()]
    job_id = desk.submit("effect", stays=stays, mark=str(mark))
    until(lambda: mark.exists() and mark.read_text().strip(), "it stays there")
    if victim == "worker":
        workers[0].kill()
        make_worker("worker-2")
    else:
        psutil.Process(int(mark.read_text())).kill()
    job = desk.wait_for(job_id)
    assert (job.state, job.result, job.kills) == (State.SUCCEEDED, {"wrote": wrote}, 1)
    assert count(lines, job_id) == 1


def test_a_process_that_outlived_its_lease_writes_nothing_and_its_worker_says_so(
    desk: Desk, make_worker: MakeWorker, lines: Connection, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    frozen = make_worker()
    job_id = desk.submit("effect", stays="inside", mark=str(mark))
    until(lambda: mark.exists() and mark.read_text().strip(), "it stays there")
    processes = [psutil.Process(frozen.pid), *frozen.children()]
    for process in processes:
        process.suspend()
    try:
        make_worker("worker-2")
        job = desk.wait_for(job_id)
    finally:
        for process in processes:
            with suppress(psutil.Error):
                process.resume()
    assert (job.state, job.worker, job.result) == (State.SUCCEEDED, "worker-2", {"wrote": True})
    until(lambda: '"lost"' in frozen.tail(), "the frozen worker notices")
    assert count(lines, job_id) == 1
