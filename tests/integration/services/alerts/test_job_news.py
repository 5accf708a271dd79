"""Wishes for news of jobs, on a real Postgres: due once, when the job is over, whoever asks."""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest

from services.common.database import Database
from services.common.ledger import Claim, Failure, Ledger, Notices
from services.common.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings, "notices-test", max_size=4)) as database:
        database.open()
        yield database


def claimed(ledger: Ledger, job_id: UUID) -> Claim:
    claim = ledger.claim(job_id, "w1", 30)
    assert isinstance(claim, Claim)
    return claim


def due(database: Database) -> list[tuple[UUID, str, bool]]:
    with Notices(database).due() as found:
        return [(each.job_id, each.state, each.wanted) for each in found]


def test_news_is_due_once_the_job_is_over_and_only_once(database: Database) -> None:
    ledger = Ledger(database)
    job = ledger.submit("canary", {}, notify="end").job
    ledger.submit("canary", {})
    assert due(database) == []
    ledger.finish(claimed(ledger, job.id), {"ok": True}, peak_memory_bytes=1)
    assert due(database) == [(job.id, "succeeded", True)]
    assert due(database) == []


@pytest.mark.parametrize(("final", "wanted"), [(True, True), (False, False)])
def test_who_wishes_for_bad_news_gets_no_other(database: Database, *, final: bool, wanted: bool) -> None:
    ledger = Ledger(database)
    job = ledger.submit("canary", {}, notify="dead").job
    claim = claimed(ledger, job.id)
    if final:
        ledger.fail(claim, Failure("ValueError", "no", fingerprint="f", final=True), peak_memory_bytes=1)
    else:
        ledger.finish(claim, {}, peak_memory_bytes=1)
    assert [found[2] for found in due(database)] == [wanted]
    assert due(database) == []


def test_what_could_not_be_sent_is_due_again_and_no_two_send_the_same(database: Database) -> None:
    ledger = Ledger(database)
    job = ledger.submit("canary", {}, notify="end").job
    ledger.finish(claimed(ledger, job.id), {}, peak_memory_bytes=1)

    def try_to_send() -> None:
        with Notices(database).due() as found:
            assert [each.job_id for each in found] == [job.id]
            assert due(database) == [], "another API sees nothing meanwhile"
            raise OSError("away")

    with pytest.raises(OSError, match="away"):
        try_to_send()
    assert due(database) == [(job.id, "succeeded", True)]


def test_a_repeated_request_makes_no_second_wish(database: Database) -> None:
    ledger = Ledger(database)
    first = ledger.submit("canary", {}, idempotency_key="k", notify="end").job
    assert ledger.submit("canary", {}, idempotency_key="k", notify="end").job.id == first.id
    ledger.finish(claimed(ledger, first.id), {}, peak_memory_bytes=1)
    assert len(due(database)) == 1
