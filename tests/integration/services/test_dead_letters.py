"""Dead letters over HTTP on a real ledger: grouped, replayed once each though the replay is killed, removed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from services.common.database import Database
from services.common.ledger import Claim, DeadLetters, Failure, Ledger, State
from services.common.settings import Settings
from tests.integration.services.conftest import KEY
from tests.paths import ROOT
from tests.waiting import until
from tradebot_ops.clients.api import Api
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.jobs import dead_letters as operation
from tradebot_ops.operations.jobs import letters_file
from tradebot_ops.settings import Secret, load_settings

pytestmark = pytest.mark.integration

#: A replay as the command line does it, in a process of its own that can be killed.
REPLAY = """
import json, sys
from pathlib import Path
from tests.integration.services.test_dead_letters import replay_at
words = json.loads(sys.argv[1])
replay_at(words["url"], Path(words["state"]), words["group"], rate=50.0)
"""


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    with closing(Database(settings, "test")) as database:
        database.open()
        yield Ledger(database)


@pytest.fixture
def dead_letters(settings: Settings) -> Iterator[DeadLetters]:
    with closing(Database(settings, "test")) as database:
        database.open()
        yield DeadLetters(database)


def dead(ledger: Ledger, fingerprint: str, message: str = "no such symbol", job_type: str = "echo") -> UUID:
    job = ledger.submit(job_type, {"text": "x"}).job
    claim = ledger.claim(job.id, "w1", 30)
    assert isinstance(claim, Claim)
    assert ledger.fail(claim, Failure("ValueError", message, "File x", fingerprint)) is State.DEAD
    return job.id


def ops_of(url: str, state: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(state), "HOME": str(state)}
    ops = Ops(load_settings({"project": "demo"}, environ, state), StubEngine("demo"))
    ops.__dict__["api"] = Api(url, Secret(KEY["X-API-Key"]), by="ana@desk")
    return ops


def replay_at(url: str, state: Path, group: str, rate: float) -> Report:
    return operation.replay(ops_of(url, state), [], group=group, rate=rate)


def replays(ledger: Ledger, jobs: list[UUID]) -> Counter[int]:
    """How many of the jobs were replayed so many times, by their events."""
    return Counter(sum(event.note == "replayed" for event in ledger.events(job)) for job in jobs)


def test_a_replay_that_is_killed_half_way_and_typed_again_replays_each_job_once(
    api: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    groups = {name: [dead(ledger, name) for _ in range(count)] for name, count in (("a", 60), ("b", 30), ("c", 10))}
    found = api.get("/dead-letters").json()["groups"]
    assert [(group["fingerprint"], group["jobs"], group["replayed"]) for group in found] == [
        ("a", 60, 0),
        ("b", 30, 0),
        ("c", 10, 0),
    ]
    words = json.dumps({"url": str(api.base_url), "state": str(tmp_path), "group": "a"})
    process = subprocess.Popen([sys.executable, "-c", REPLAY, words], cwd=ROOT, env=os.environ)
    until(lambda: replays(ledger, groups["a"])[1] >= 10, "the replay is on its way", 30)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    half = replays(ledger, groups["a"])
    assert 0 < half[1] < 60
    # One that was replayed and died again in the meantime is not what the second call is about.
    died_again = next(job for job in groups["a"] if ledger.events(job)[-1].note == "replayed")
    claim = ledger.claim(died_again, "w1", 30)
    assert isinstance(claim, Claim)
    assert (claim.attempt, claim.kills, claim.deferrals) == (1, 0, 0)
    ledger.fail(claim, Failure("ValueError", "no such symbol", fingerprint="a"))
    report = replay_at(str(api.base_url), tmp_path, "a", rate=1000.0)
    assert isinstance(report.data, dict)
    assert report.data["left_out"] == [str(died_again)]
    assert replays(ledger, groups["a"]) == Counter({1: 60})
    assert replays(ledger, groups["b"] + groups["c"]) == Counter({0: 40})
    (group,) = (each for each in api.get("/dead-letters").json()["groups"] if each["fingerprint"] == "a")
    assert (group["jobs"], group["replayed"]) == (1, 1)


def test_many_replays_of_one_job_queue_it_once(ledger: Ledger, dead_letters: DeadLetters) -> None:
    job = dead(ledger, "f")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: dead_letters.replay(job, again=True, by="ana@desk"), range(32)))
    (replayed,) = (answer for answer in answers if answer)
    assert (replayed.state, replayed.attempt, replayed.replays, replayed.failure) == (State.QUEUED, 0, 1, None)
    assert [event.state for event in ledger.events(job)] == ["queued", "running", "dead", "queued"]
    assert ledger.events(job)[-1].by == "ana@desk"


def test_what_cannot_be_replayed_says_why(api: httpx.Client, ledger: Ledger) -> None:
    job = dead(ledger, "f")
    path = f"/dead-letters/{job}/replay"
    assert api.post(path).status_code == 401
    answer = api.post(path, headers=KEY)
    assert (answer.status_code, answer.json()["state"], answer.json()["replays"]) == (202, "queued", 1)
    assert "The job is queued; only a dead one" in api.post(path, headers=KEY).json()["detail"]
    claim = ledger.claim(job, "w1", 30)
    assert isinstance(claim, Claim)
    ledger.fail(claim, Failure("ValueError", "again", fingerprint="f"))
    refused = api.post(path, headers=KEY)
    assert (refused.status_code, "again=true" in refused.json()["detail"]) == (409, True)
    assert api.post(path, headers=KEY, params={"again": True}).json()["replays"] == 2
    assert api.post(f"/dead-letters/{uuid4()}/replay", headers=KEY).status_code == 404


def test_of_a_type_that_is_gone_jobs_are_shown_and_replayed_and_none_is_accepted(
    api: httpx.Client, ledger: Ledger
) -> None:
    job = dead(ledger, "f", job_type="gone")
    assert api.get(f"/jobs/{job}").json()["type"] == "gone"
    assert {each["type"]: each["dead"] for each in api.get("/queues").json()["queues"]}["gone"] == 1
    assert api.post(f"/dead-letters/{job}/replay", headers=KEY).status_code == 202
    refused = api.post("/jobs", json={"type": "gone"}, headers=KEY)
    assert (refused.status_code, "'gone' is unknown" in refused.text) == (422, True)


def test_one_group_is_listed_and_removed(api: httpx.Client, ledger: Ledger) -> None:
    first, other = dead(ledger, "f"), dead(ledger, "g")
    (listed,) = api.get("/jobs", params={"state": "dead", "fingerprint": "f"}).json()["jobs"]
    assert (listed["id"], listed["error"]["fault"], listed["replays"]) == (str(first), "job", 0)
    assert api.delete(f"/dead-letters/{first}", headers=KEY).status_code == 204
    assert api.get(f"/jobs/{first}").status_code == 404
    queued = api.post("/jobs", json={"type": "echo", "payload": {"text": "x"}}, headers=KEY).json()["id"]
    assert api.delete(f"/dead-letters/{queued}", headers=KEY).status_code == 409
    assert [group["fingerprint"] for group in api.get("/dead-letters").json()["groups"]] == ["g"]
    assert api.get(f"/jobs/{other}").json()["state"] == "dead"


def test_a_file_of_dead_jobs_is_queued_once_where_they_are_gone_and_where_they_are_dead(
    api: httpx.Client, ledger: Ledger, dead_letters: DeadLetters, tmp_path: Path
) -> None:
    ops, file = ops_of(str(api.base_url), tmp_path), tmp_path / "dead.jsonl"
    here, gone = dead(ledger, "f"), dead(ledger, "g")
    assert letters_file.export(ops, file, group=None, every=True).data == {"file": str(file), "jobs": 2}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["error"]["traceback"] for line in lines} == {"File x"}
    assert dead_letters.remove(gone)
    first = letters_file.import_(ops, file).data
    assert isinstance(first, dict)
    assert sorted(first["queued"]) == sorted([str(here), str(gone)])
    assert letters_file.import_(ops, file).data == {"queued": [], "left_out": first["queued"]}
    jobs, _ = ledger.list_jobs()
    assert Counter(job.state for job in jobs) == Counter({State.QUEUED: 2})
    assert Counter(job.replays for job in jobs) == Counter({0: 1, 1: 1})
    assert {ledger.events(job.id)[-1].by for job in jobs} == {"ana@desk"}


def test_a_line_that_the_api_refuses_is_named_and_typed_again_the_rest_follows(
    api: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    ops, file = ops_of(str(api.base_url), tmp_path), tmp_path / "dead.jsonl"
    letters = [
        {"format": letters_file.FORMAT, "id": str(uuid4()), "type": kind, "payload": {"text": "x"}}
        for kind in ("echo", "ecco", "echo")
    ]
    file.write_text("\n".join(map(json.dumps, letters)))
    with pytest.raises(OpsError, match=r"Line 2 of .* was refused.*'ecco' is unknown"):
        letters_file.import_(ops, file)
    assert len(ledger.list_jobs()[0]) == 1
    file.write_text("\n".join(json.dumps(letter | {"type": "echo"}) for letter in letters))
    assert letters_file.import_(ops, file).data == {
        "queued": [letters[1]["id"], letters[2]["id"]],
        "left_out": [letters[0]["id"]],
    }
