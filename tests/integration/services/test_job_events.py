"""Server-sent events of a job, on a real Postgres: all that happens, once, until it is over; also without Redis."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.api.job_streams import JobStreams
from services.common.database import Database
from services.common.ledger import Claim, Ledger
from services.common.migrate import migrate
from services.common.settings import Settings
from tests.integration.parts import PostgresPart, RedisPart, make_settings
from tests.integration.services.conftest import KEY, Serve
from tests.paths import ROOT
from tests.waiting import free_port, until

pytestmark = pytest.mark.integration

ECHO = {"type": "echo", "payload": {"text": "x"}}


class Reader:
    """Reads one stream in a thread, from the answer's first byte on."""

    def __init__(self, api: httpx.Client, job: str, **headers: str) -> None:
        self.events: list[tuple[str, Any]] = []
        self.ids: list[str] = []
        self.status = 0
        self.type = ""
        self._address, self._headers = f"{api.base_url}/jobs/{job}/events", headers
        self._answer: httpx.Response | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        until(lambda: self.status, "the stream begins", 20)

    def _read(self) -> None:
        kind = ""
        with httpx.stream("GET", self._address, headers=self._headers, timeout=60) as answer:
            self.type, self.status = answer.headers["Content-Type"], answer.status_code
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.events.append((kind, json.loads(value)))
                elif name == "id":
                    self.ids.append(value)

    def wait(self, within_s: float = 20) -> None:
        """Until the API has closed it."""
        self._thread.join(within_s)
        assert not self._thread.is_alive()

    @property
    def states(self) -> list[str]:
        return [data["state"] for kind, data in self.events if kind == "state"]


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    database = Database(settings, "test")
    database.open()
    yield Ledger(database)
    database.close()


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    with ledger_of(settings) as ledger:
        yield ledger


def submit(api: httpx.Client) -> str:
    return str(api.post("/jobs", json=ECHO, headers=KEY).json()["id"])


def claim(ledger: Ledger, job: str) -> Claim:
    claimed = ledger.claim(UUID(job), "w1", 60)
    assert isinstance(claimed, Claim)
    return claimed


def test_all_that_happens_comes_once_and_the_api_closes_at_the_end(api: httpx.Client, ledger: Ledger) -> None:
    job = submit(api)
    reader = Reader(api, job)
    assert (reader.status, reader.type.partition(";")[0]) == (200, "text/event-stream")
    until(lambda: reader.states == ["queued"], "what was before", 10)
    claimed = claim(ledger, job)
    ledger.progress(claimed, 0.25, "a quarter")
    until(lambda: ("progress", {"progress": 0.25, "note": "a quarter"}) in reader.events, "the progress", 10)
    # Meanwhile the stream is no request under way, and was answered at once.
    metrics = api.get("/metrics").text
    assert 'http_requests_in_progress{method="GET"} 1.0' in metrics  # this one
    assert 'http_requests_total{endpoint="/jobs/{job_id}/events",method="GET",status="200"} 1.0' in metrics
    ledger.finish(claimed, {"ok": True})
    reader.wait()
    assert reader.states == ["queued", "running", "succeeded"]
    assert reader.events[-1] == ("end", {"state": "succeeded"})
    assert reader.events[0][1]["by"] == "api"

    again = Reader(api, job, **{"Last-Event-ID": reader.ids[1]})
    again.wait()
    assert (again.states, again.events[-1]) == (["succeeded"], ("end", {"state": "succeeded"}))


def test_a_job_that_is_not_there_is_no_stream(api: httpx.Client) -> None:
    for job in ("0198a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", "nonsense"):
        answer = api.get(f"/jobs/{job}/events")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    answer = api.get(f"/jobs/{submit(api)}/events", headers={"Last-Event-ID": "-1"})
    assert answer.status_code == 422


def test_without_redis_and_with_twenty_readers_the_ledger_is_asked_twice_a_second(
    serve: Serve, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    look = JobStreams._serve_these

    async def counted(self: JobStreams, streams: Any) -> None:
        looks.append(time.monotonic())
        await look(self, streams)

    monkeypatch.setattr(JobStreams, "_serve_these", counted)
    api = serve(settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"}))
    jobs = [submit(api) for _ in range(4)]
    readers = [Reader(api, job) for job in jobs * 5]
    until(lambda: all(reader.states for reader in readers), "all are served", 20)
    began, before = time.monotonic(), len(looks)
    for job in jobs:
        ledger.finish(claim(ledger, job), {"ok": True})
    for reader in readers:
        reader.wait()
        assert reader.events[-1] == ("end", {"state": "succeeded"})
    assert len(looks) - before <= 2 * (time.monotonic() - began) + 2


def test_too_many_are_refused_until_one_ends(serve: Serve, settings: Settings, ledger: Ledger) -> None:
    def two_at_most(app: FastAPI) -> None:
        app.state.dependencies.job_streams._most = 2

    api = serve(settings, two_at_most)
    job = submit(api)
    readers = [Reader(api, job) for _ in range(2)]
    answer = api.get(f"/jobs/{job}/events")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Too many streams" in answer.json()["detail"]
    ledger.finish(claim(ledger, job), {"ok": True})
    for reader in readers:
        reader.wait()
    until(lambda: api.get(f"/jobs/{job}/events").status_code == 200, "there is room again", 10)


def test_a_stream_outlives_an_outage_of_postgres(
    serve: Serve, own_postgres: PostgresPart, own_redis: RedisPart, tmp_path: Path
) -> None:
    settings = make_settings(own_postgres, own_redis, tmp_path)
    migrate(settings)
    api = serve(settings)
    job = submit(api)
    reader = Reader(api, job)
    until(lambda: reader.states == ["queued"], "what was before", 10)
    own_postgres.kill()
    until(lambda: api.get(f"/jobs/{job}/events").status_code == 503, "no new one is opened", 20)
    own_postgres.start()
    with ledger_of(settings) as ledger:
        until(lambda: api.get("/health/ready").status_code == 200, "it is back", 30)
        ledger.finish(claim(ledger, job), {"ok": True})
        reader.wait(40)
    assert reader.states == ["queued", "running", "succeeded"]


def test_an_api_that_is_to_end_does_not_wait_for_its_readers(
    api: httpx.Client, settings: Settings, tmp_path: Path
) -> None:
    job, port = submit(api), free_port()
    values = settings.model_dump(exclude_none=True, mode="json")
    environment = {name.upper(): str(value) for name, value in values.items()}
    environment |= {"API_LISTEN": f"127.0.0.1:{port}", "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "services.api"], env=environment, stdout=log, stderr=log)
    try:
        log_file = tmp_path / "log"
        until(lambda: b"Uvicorn running" in log_file.read_bytes() or process.poll() is not None, "it starts", 30)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as other:
            reader = Reader(other, job)
            until(lambda: reader.states == ["queued"], "what was before", 10)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            assert time.monotonic() - began < 10
            reader.wait(5)
    finally:
        process.kill()
        process.wait()
    assert [kind for kind, _ in reader.events] == ["state"]
