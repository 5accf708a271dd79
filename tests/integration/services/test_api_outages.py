"""The API while Redis or Postgres is killed, hung and back: it degrades, says so, and loses no job."""

from pathlib import Path

import httpx
import pytest

from services.common.database import Database
from services.common.heartbeats import DESIRED_KEY, Heartbeat, beat
from services.common.ledger import Ledger
from services.common.migrate import migrate
from services.common.redis_client import redis_client
from services.common.settings import Settings
from tests.integration.parts import PostgresPart, RedisPart, make_settings, new_database
from tests.integration.services.conftest import KEY, Serve
from tests.waiting import until

pytestmark = pytest.mark.integration

ECHO = {"type": "echo", "payload": {"text": "hello"}}


@pytest.fixture
def own_settings(own_postgres: PostgresPart, own_redis: RedisPart, tmp_path: Path) -> Settings:
    settings = make_settings(own_postgres, own_redis, tmp_path)
    migrate(settings)
    return settings


def statuses(api: httpx.Client) -> dict[str, str]:
    health = api.get("/health").json()
    return {"": health["status"]} | {name: found["status"] for name, found in health["dependencies"].items()}


def is_up(api: httpx.Client) -> bool:
    return api.get("/health/ready").status_code == 200


def test_redis_killed_and_back(serve: Serve, own_settings: Settings, own_redis: RedisPart) -> None:
    api = serve(own_settings)
    until(lambda: is_up(api), "the API is ready")
    own_redis.kill()

    answer = api.post("/jobs", json=ECHO, headers=KEY)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert api.get("/health/ready").status_code == 200
    assert api.get("/health").status_code == 200
    assert statuses(api) == {
        "": "degraded", "redis": "down", "postgres": "ok", "workers": "down", "queue": "ok",
    }  # fmt: skip
    workers = api.get("/workers")
    assert (workers.status_code, workers.headers["retry-after"]) == (503, "5")
    assert 'redis_operations_total{operation="evalsha",status="error"}' in api.get("/metrics").text

    database = Database(own_settings, "sweeper")
    database.open()
    with Ledger(database).overdue() as due:
        assert [str(each.id) for each in due] == [answer.json()["id"]]
    database.close()

    own_redis.start()
    assert api.post("/jobs", json=ECHO, headers=KEY).status_code == 202
    assert statuses(api)["redis"] == "ok"
    assert len(own_redis.client().hgetall("dramatiq:jobs.msgs")) == 1


def test_postgres_killed_and_back(serve: Serve, own_settings: Settings, own_postgres: PostgresPart) -> None:
    api = serve(own_settings)
    until(lambda: is_up(api), "the API is ready")
    own_postgres.kill()

    answer = api.post("/jobs", json=ECHO, headers=KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert api.get("/health/ready").status_code == 503
    health = api.get("/health")
    assert health.status_code == 503
    assert statuses(api) == {
        "": "down", "redis": "ok", "postgres": "down", "workers": "degraded", "queue": "down",
    }  # fmt: skip
    assert "integration-password" not in health.text
    assert api.get("/health/live").status_code == 200
    assert "DatabaseUnavailable" in {error["type"] for error in api.get("/errors").json()["errors"]}
    metrics = api.get("/metrics").text
    assert 'queue_length{queue="jobs"} 0.0' in metrics
    assert "db_connection_errors_total 0.0" not in metrics

    own_postgres.start()
    until(lambda: is_up(api), "the API is ready again", 30)
    assert api.post("/jobs", json=ECHO, headers=KEY).status_code == 202
    (error,) = [e for e in api.get("/errors").json()["errors"] if e["type"] == "DatabaseUnavailable"][:1]
    assert error["count"] >= 1


def test_a_hung_postgres_is_not_waited_for(serve: Serve, own_settings: Settings, own_postgres: PostgresPart) -> None:
    api = serve(own_settings)
    until(lambda: is_up(api), "the API is ready")
    own_postgres.pause()
    try:
        assert api.get("/health/live").status_code == 200
        assert api.get("/jobs", timeout=15).status_code == 503
        health = api.get("/health", timeout=10)
        assert (health.status_code, health.json()["status"]) == (503, "down")
    finally:
        own_postgres.resume()
    until(lambda: is_up(api), "the API is ready again", 30)


def test_a_hung_redis_is_not_waited_for(serve: Serve, own_settings: Settings, own_redis: RedisPart) -> None:
    api = serve(own_settings)
    until(lambda: is_up(api), "the API is ready")
    own_redis.pause()
    try:
        assert api.post("/jobs", json=ECHO, headers=KEY, timeout=10).status_code == 202
        assert statuses(api)["redis"] == "down"
    finally:
        own_redis.resume()
    until(lambda: statuses(api)["redis"] == "ok", "Redis answers again")


def test_starting_before_postgres(serve: Serve, own_settings: Settings, own_postgres: PostgresPart) -> None:
    own_postgres.kill()
    api = serve(own_settings)
    assert api.get("/health/live").status_code == 200
    assert api.get("/health/ready").status_code == 503
    own_postgres.start()
    until(lambda: is_up(api), "the API is ready", 30)


def test_a_database_that_is_not_migrated_is_not_ready(
    serve: Serve, postgres: PostgresPart, redis_server: RedisPart, tmp_path: Path
) -> None:
    settings = make_settings(postgres, redis_server, tmp_path, database=new_database(postgres))
    api = serve(settings)
    until(lambda: statuses(api)["postgres"] == "ok", "Postgres answers")
    for answer in (api.get("/health/ready"), api.post("/jobs", json=ECHO, headers=KEY)):
        assert answer.status_code == 503
        assert "run the service `migrate`" in answer.json()["detail"]
    assert statuses(api)[""] == "down"
    assert "db_connection_errors_total 0.0" in api.get("/metrics").text
    migrate(settings)
    until(lambda: is_up(api), "the API is ready")


def test_workers_and_their_desired_number(serve: Serve, settings: Settings) -> None:
    api = serve(settings)
    client = redis_client(settings)
    assert statuses(api)["workers"] == "degraded"
    assert "tradebot_workers_desired" not in api.get("/metrics").text
    for name, state in (("worker-2", "idle"), ("worker-1", "busy")):
        beat(client, Heartbeat(name, state, 4711, 1_700_000_000.0, "job" if state == "busy" else None))  # type: ignore[arg-type]
    client.set("tradebot:worker:stranger", "not json")
    client.zadd("tradebot:workers", {"stranger": 1.0})
    client.set(DESIRED_KEY, 2)
    busy, idle = api.get("/workers").json()["workers"]
    assert (busy["name"], busy["state"], busy["job_id"], busy["pid"]) == ("worker-1", "busy", "job", 4711)
    assert (idle["name"], idle["job_id"], idle["heartbeat_at"]) == ("worker-2", None, "2023-11-14T22:13:20Z")
    assert idle["age_s"] > 0
    assert api.get("/health").json()["dependencies"]["workers"]["count"] == 2
    until(lambda: "tradebot_workers_desired 2.0" in api.get("/metrics").text, "the number is seen", 10)
    client.close()
