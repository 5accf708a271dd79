"""Which jobs wait, and which of them a worker should have taken, on a real ledger."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.common.database import Database
from services.common.ledger import Claim, Halts, Ledger, Queues
from services.common.settings import Settings
from tests.integration.parts import PASSWORD
from tradebot_ops.clients.postgres import Account, Postgres
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.work import halt, queue
from tradebot_ops.settings import Secret, load_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings, "facts-test")) as database:
        database.open()
        yield database


@pytest.fixture
def ops(settings: Settings, tmp_path: Path) -> Ops:
    found = urlsplit(settings.database_url)
    assert found.hostname
    assert found.port
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    account = Account("tradebot", Secret(PASSWORD), found.path.removeprefix("/"))
    ops.postgres = Postgres(found.hostname, found.port, account, 5)
    return ops


def waits(ops: Ops) -> tuple[int, int]:
    found = queue.queue(ops)
    return found.waiting, found.due


def test_a_job_waits_until_a_worker_has_it(database: Database, ops: Ops) -> None:
    ledger = Ledger(database)
    assert queue.queue(ops).oldest_s is None
    job = ledger.submit("canary", {}).job
    assert waits(ops) == (1, 1)
    assert isinstance(ledger.claim(job.id, "w1", 30), Claim)
    assert waits(ops) == (0, 0)


def test_nobody_is_late_for_a_job_of_tomorrow(database: Database, ops: Ops) -> None:
    Ledger(database).submit("canary", {}, not_before=datetime.now(UTC) + timedelta(days=1))
    assert waits(ops) == (0, 0)


def test_a_job_whose_time_has_come_is_as_old_as_that(database: Database, ops: Ops) -> None:
    job = Ledger(database).submit("canary", {}, not_before=datetime.now(UTC) + timedelta(days=1)).job
    database.row("UPDATE job SET not_before = now() - interval '5 s', submitted_at = now() - interval '1 day'"
                 " WHERE id = %(id)s RETURNING id", {"id": job.id})  # fmt: skip
    found = queue.queue(ops)
    assert (found.waiting, found.due) == (1, 1)
    assert found.oldest_s == pytest.approx(5, abs=4)


def test_jobs_of_a_paused_type_wait_for_nobody(database: Database, ops: Ops) -> None:
    ledger = Ledger(database)
    ledger.submit("canary", {})
    Queues(database).set("canary", by="ana", paused=True)
    assert waits(ops) == (0, 0)


def test_jobs_that_wait_for_room_are_not_due(database: Database, ops: Ops) -> None:
    ledger = Ledger(database)
    Queues(database).set("canary", by="ana", max_running=1, limited=True)
    first = ledger.submit("canary", {}).job
    ledger.submit("canary", {})
    assert waits(ops) == (2, 2)
    assert isinstance(ledger.claim(first.id, "w1", 30), Claim)
    assert waits(ops) == (1, 0)


def test_nobody_is_late_while_the_stack_is_halted(database: Database, ops: Ops) -> None:
    ledger, halts = Ledger(database), Halts(database)
    lost = ledger.submit("sweep", {}).job
    assert isinstance(ledger.claim(lost.id, "w1", 30), Claim)
    database.execute("UPDATE job SET lease_until = now() - interval '1 minute'")
    ledger.submit("sweep", {})
    assert (waits(ops), len(queue.lost(ops)), halt.halt(ops)) == ((1, 1), 1, None)
    halts.halt(by="ana@desk", reason="fills look wrong")
    found = halt.halt(ops)
    assert found
    assert (found.by, found.reason, found.seconds >= 0) == ("ana@desk", "fills look wrong", True)
    assert (waits(ops), queue.lost(ops)) == ((0, 0), ())
    ledger.submit("canary", {})
    assert waits(ops) == (1, 1), "which runs all the same"
    halts.resume(by="ana@desk")
    assert (waits(ops), len(queue.lost(ops)), halt.halt(ops)) == ((2, 2), 1, None)
