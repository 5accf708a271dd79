"""Redis and Postgres at fault for longer than a lease: no accepted job is lost, run twice, or pays for it."""

import itertools
import secrets
import time
from pathlib import Path

import pytest

from services.common.database import DatabaseUnavailable
from services.common.ledger import State
from tests.integration.worker.conftest import Own
from tests.integration.worker.outages import faults
from tests.integration.worker.outages.api import ApiPart
from tests.integration.worker.outages.faults import Fault
from tests.integration.worker.outages.line import Line
from tests.integration.worker.rig import LEASE_S
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LASTS_S = LEASE_S + 3.0
#: Of an answer: no request hangs, whatever its server does.
PATIENCE_S = 15.0
#: Bytes that do not fit into what is left of a page.
LARGE = 50_000


@pytest.mark.parametrize("fault", [*faults.REDIS, *faults.POSTGRES], ids=lambda fault: fault.__name__)
def test_no_job_is_lost_or_run_twice_or_pays_for_it(
    own: Own, line: Line, api: ApiPart, tmp_path: Path, fault: Fault
) -> None:
    workers = [own.make_worker(f"worker-{number}") for number in (1, 2)]
    marks = tmp_path / "marks"
    marks.mkdir()
    texts = {f"job-{number}": secrets.token_hex(LARGE // 2) for number in range(200)}

    def submit(key: str) -> int:
        """The status of the answer; the job's own process asks Postgres, too."""
        began = time.monotonic()
        answer = api.submit(key, "keeper", timeout_s=PATIENCE_S, seconds=0.2, mark=str(marks / key), ballast=texts[key])
        assert answer.status_code in (202, 503), answer.text
        assert time.monotonic() - began < PATIENCE_S
        return answer.status_code

    def usable() -> bool:
        try:
            own.desk.ledger.check()
        except DatabaseUnavailable:
            return False
        return api.answers("/health/ready")

    assert submit("job-0") == 202
    until((marks / "job-0").exists, "a first job has run", 30)
    through = own.desk.submit("nap", max_attempts=1, seconds=LASTS_S + 2, mark=str(marks / "through"))
    own.desk.wait_for(through, State.RUNNING)
    refused, given = [], ["job-0"]
    with fault(own, line):
        ends = time.monotonic() + LASTS_S
        for number in itertools.count(1):
            given.append(f"job-{number}")
            if submit(given[-1]) == 503:
                refused.append(given[-1])
            if time.monotonic() > ends:
                break
            time.sleep(0.1)
    assert bool(refused) == (fault in faults.POSTGRES)
    until(usable, "jobs can be stored again", 60)
    assert [submit(key) for key in refused] == [202] * len(refused)
    jobs, _ = own.desk.ledger.list_jobs(limit=500)
    assert len(jobs) == len(given) + 1
    ended = [own.desk.wait_for(job.id, within_s=90) for job in jobs]
    # Where one worker has a connection and the other has none, that one's jobs are taken over.
    most = 1 if fault is faults.no_connections else 0
    assert {(job.state, job.attempt) for job in ended} == {(State.SUCCEEDED, 1)}
    assert max(job.kills for job in ended) <= most
    starts = {mark.name: len(mark.read_text().splitlines()) for mark in marks.iterdir()}
    assert starts.keys() == {*given, "through"}
    assert max(starts.values()) <= 1 + most
    for worker in workers:
        assert worker.process is not None
        assert worker.process.poll() is None
        until(worker.heartbeat, "it beats", 10)
