"""A claim does not wait for the disk. What becomes of one that a crash of Postgres takes back."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from services.common.database import Database, DatabaseUnavailable
from services.common.ledger import Claim, Ledger, Renewal, State
from services.common.migrate import migrate
from tests.integration.parts import PostgresPart, RedisPart, make_settings
from tests.waiting import until

pytestmark = pytest.mark.integration

#: Whatever nobody waits for stays in memory for so long.
LATE = ("ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()")
UNWRITTEN = "SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()"


@pytest.fixture
def ledger(own_postgres: PostgresPart, redis_server: RedisPart, tmp_path: Path) -> Iterator[Ledger]:
    settings = make_settings(own_postgres, redis_server, tmp_path)
    migrate(settings)
    with closing(own_postgres.connect()) as connection:
        connection.autocommit = True
        for statement in LATE:
            connection.execute(statement.encode())
    database = Database(settings, "crash-test", timeout_s=20)
    database.open()
    yield Ledger(database)
    database.close()


def claimed(ledger: Ledger, job: object, worker: str) -> Claim:
    claim = ledger.claim(job, worker, 30)  # type: ignore[arg-type]
    assert isinstance(claim, Claim)
    return claim


def crash(postgres: PostgresPart, ledger: Ledger) -> None:
    postgres.kill()
    postgres.start()

    def answers() -> bool:
        with suppress(DatabaseUnavailable):
            ledger.check()
            return True
        return False

    until(answers, "the ledger answers", 60)


def test_whoever_had_it_is_refused_also_beside_the_next_one(own_postgres: PostgresPart, ledger: Ledger) -> None:
    job = ledger.submit("canary", {}).job.id
    first = claimed(ledger, job, "w1")
    with closing(own_postgres.connect()) as connection:
        assert connection.execute(UNWRITTEN).fetchone() == (True,)
    crash(own_postgres, ledger)
    found = ledger.get(job)
    assert found
    assert (found.state, found.attempt) == (State.QUEUED, 0)
    assert (ledger.renew(first, 30), ledger.finish(first, {"by": 1})) == (Renewal.LOST, False)
    second = claimed(ledger, job, "w1")
    assert (ledger.renew(first, 30), ledger.finish(first, {"by": 1})) == (Renewal.LOST, False)
    assert ledger.finish(second, {"by": 2})
    assert [event.state for event in ledger.events(job)] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]


def test_an_outcome_is_never_taken_back_nor_the_claim_before_it(own_postgres: PostgresPart, ledger: Ledger) -> None:
    job = ledger.submit("canary", {}).job.id
    assert ledger.finish(claimed(ledger, job, "w1"), {"done": True})
    crash(own_postgres, ledger)
    found = ledger.get(job)
    assert found
    assert (found.state, found.attempt, found.result) == (State.SUCCEEDED, 1, {"done": True})
