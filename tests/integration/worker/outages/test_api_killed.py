"""The API killed in the middle of a submission: the row is there, the message is not, and nobody got an answer."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from services.common.database import Database
from services.common.ledger import State
from services.common.transport import QUEUE, redis_list
from tests.integration.worker.conftest import Own
from tests.integration.worker.outages.api import ApiPart
from tests.integration.worker.outages.line import Line
from tests.waiting import until

pytestmark = pytest.mark.integration


def test_between_row_and_message_the_job_runs_once_also_when_it_is_asked_for_again(
    own: Own, api: ApiPart, line: Line, tmp_path: Path
) -> None:
    mark = tmp_path / "starts"
    line.swallows = True
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(api.submit, "key", "nap", mark=str(mark))
        until(lambda: own.desk.ledger.list_jobs()[0], "the row is there", 10)
        api.kill()
        with pytest.raises(httpx.HTTPError):
            asked.result(30)
    line.swallows = False
    (job,), _ = own.desk.ledger.list_jobs()
    assert (job.state, own.redis.client().llen(redis_list(QUEUE))) == (State.QUEUED, 0)

    api.start()
    again = api.submit("key", "nap", mark=str(mark))
    assert (again.status_code, again.json()["id"]) == (202, str(job.id))
    own.make_worker()
    # The sweeper waits for the message, which may be on its way, for a minute: let that pass.
    database = Database(own.settings, "test")
    database.open()
    database.execute("UPDATE job SET sent_at = sent_at - interval '1 minute'")
    database.close()
    ended = own.desk.wait_for(job.id)
    assert (ended.state, ended.attempt, len(mark.read_text().splitlines())) == (State.SUCCEEDED, 1, 1)
