"""Workers over HTTP, on a real Redis and Postgres: who is there, orders to them, and the jobs of one that was ended."""

import time

import httpx
import pytest

from services.common.database import Database
from services.common.heartbeats import Heartbeat, alive, beat, hear_order
from services.common.ledger import Ledger, State
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.services.conftest import KEY, Serve
from tests.waiting import free_port

pytestmark = pytest.mark.integration

ANA = KEY | {"X-Requested-By": "ana@host"}


def test_an_order_is_given_with_who_and_why_and_shown(api: httpx.Client, settings: Settings) -> None:
    client = redis_client(settings)
    beat(client, Heartbeat("w1", "busy", 7, time.time(), "job", "nap", time.time() - 60, 5_000_000, "1.2"))
    (shown,) = api.get("/workers").json()["workers"]
    assert (shown["job_type"], shown["memory_bytes"], shown["version"], shown["order"]) == (
        "nap",
        5_000_000,
        "1.2",
        None,
    )
    answer = api.post("/workers/w1/drain", headers=ANA, json={"reason": "more memory"})
    assert answer.status_code == 202
    (shown,) = api.get("/workers").json()["workers"]
    assert shown["order"] == answer.json()
    assert (shown["order"]["drain"], shown["order"]["by"], shown["order"]["reason"]) == (
        True,
        "ana@host",
        "more memory",
    )
    assert (order := hear_order(client, "w1")) is not None
    assert (order.drain, order.by) == (True, "ana@host")
    assert api.post("/workers/w1/resume", headers=ANA).json()["drain"] is False
    assert (order := hear_order(client, "w1")) is not None
    assert not order.drain


def test_bad_orders_are_refused(api: httpx.Client, settings: Settings) -> None:
    beat(redis_client(settings), Heartbeat("w1", "idle", 7, time.time()))
    assert api.post("/workers/w1/drain").status_code == 401
    assert api.delete("/workers/w1").status_code == 401
    assert api.post("/workers/w2/drain", headers=KEY).status_code == 404
    assert api.post("/workers/w%00/drain", headers=KEY).status_code == 422
    assert api.post("/workers/w1/drain", headers=KEY, json={"why": "x"}).status_code == 422
    assert api.post("/workers/w1/drain", headers=KEY, json={"reason": "x" * 501}).status_code == 422
    assert hear_order(redis_client(settings), "w1") is None


def test_an_ended_worker_is_forgotten_and_its_jobs_are_queued(api: httpx.Client, settings: Settings) -> None:
    client = redis_client(settings)
    beat(client, Heartbeat("w1", "busy", 7, time.time()))
    running = api.post("/jobs", json={"type": "echo", "payload": {"text": "x"}}, headers=KEY).json()["id"]
    cancelled = api.post("/jobs", json={"type": "echo", "payload": {"text": "y"}}, headers=KEY).json()["id"]
    database = Database(settings, "test")
    database.open()
    ledger = Ledger(database)
    for job in (running, cancelled):
        ledger.claim(job, "w1", 600)
    assert api.delete(f"/jobs/{cancelled}", headers=KEY).status_code == 202
    answer = api.delete("/workers/w1", headers=ANA)
    assert (answer.status_code, [job["id"] for job in answer.json()["jobs"]]) == (202, [running])
    assert alive(client) == []
    job = ledger.get(running)
    assert job is not None
    assert (job.state, job.attempt, job.kills, job.worker) == (State.QUEUED, 0, 0, None)
    assert api.get(f"/jobs/{running}").json()["events"][-1] | {"at": ""} == {
        "at": "",
        "state": "queued",
        "by": "ana@host",
        "note": "its worker w1 was ended",
    }
    assert api.get(f"/jobs/{cancelled}").json()["state"] == "cancelled"
    assert api.delete("/workers/w1", headers=ANA).json() == {"jobs": []}
    database.close()


def test_without_redis_nobody_can_be_told_and_jobs_are_handed_over_all_the_same(
    serve: Serve, settings: Settings
) -> None:
    api = serve(settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"}))
    for answer in (api.get("/workers"), api.post("/workers/w1/drain", headers=KEY)):
        assert answer.status_code == 503
        assert "Redis does not answer" in answer.json()["detail"]
    assert api.delete("/workers/w1", headers=KEY).status_code == 202
