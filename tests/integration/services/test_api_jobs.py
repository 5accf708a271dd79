"""Jobs over HTTP on real Postgres and Redis: every status code, with the field at fault."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import psycopg.sql
import pytest

from services.common.database import Database
from services.common.ledger import Claim, Failure, Ledger
from services.common.settings import Settings
from tests.integration.parts import RedisPart
from tests.integration.services.conftest import KEY, Serve

pytestmark = pytest.mark.integration

ECHO = {"type": "echo", "payload": {"text": "hello"}}


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) == {"type", "title", "status", "detail", "errors", "request_id"}
    return body


def fields(response: httpx.Response) -> dict[str, str]:
    return {error["field"]: error["message"] for error in problem(response, 422)["errors"]}


def test_a_submitted_job_is_stored_and_its_id_is_sent(api: httpx.Client, settings: Settings) -> None:
    answer = api.post("/jobs", json=ECHO, headers=KEY | {"X-Request-ID": "req-1"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["type"], job["version"], job["state"], job["attempt"], job["max_attempts"]) == (
        "echo",
        3,
        "queued",
        0,
        2,
    )
    assert job["payload"] == {"text": "hello", "times": 1, "numbers": []}
    assert (job["trace_id"], job["error"], job["result"]) == ("req-1", None, None)
    shown = api.get(f"/jobs/{job['id']}").json()
    assert [(event["state"], event["by"]) for event in shown.pop("events")] == [("queued", "api")]
    assert shown == job


def test_times_are_those_of_utc_whatever_the_zone_of_the_server(serve: Serve, settings: Settings) -> None:
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value(), autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET TimeZone = 'America/New_York'").format(name))
    job = serve(settings).post("/jobs", json=ECHO, headers=KEY).json()
    assert job["submitted_at"].endswith("Z")
    assert abs(datetime.fromisoformat(job["submitted_at"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_id_lies_in_the_queue(api: httpx.Client, redis_server: RedisPart, settings: Settings) -> None:
    job_id = api.post("/jobs", json=ECHO, headers=KEY).json()["id"]
    client = redis_server.client(int(settings.redis_url.rpartition("/")[2]))
    (message,) = client.hgetall("dramatiq:jobs.msgs").values()
    assert job_id in message
    assert "hello" not in message


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "The header X-API-Key is missing."),
        ({"X-API-Key": "wrong"}, "The API key is wrong."),
        ({"X-API-Key": ""}, "The API key is wrong."),
    ],
)
def test_writes_need_the_key(api: httpx.Client, headers: dict[str, str], detail: str) -> None:
    assert problem(api.post("/jobs", json=ECHO, headers=headers), 401)["detail"] == detail
    assert problem(api.delete(f"/jobs/{uuid4()}", headers=headers), 401)["detail"] == detail
    assert api.get("/jobs").json() == {"jobs": [], "next": None}


def test_an_api_without_a_key_takes_no_writes(serve: Serve, settings: Settings) -> None:
    api = serve(settings.model_copy(update={"api_key_file": None}))
    problem(api.post("/jobs", json=ECHO, headers=KEY), 403)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "nope"}, {"type": "'nope' is unknown; one of echo"}),
        ({"type": "broken"}, {"type": "'broken' could not be loaded: ImportError: no module named nowhere"}),
        ({"type": "echo", "payload": {}}, {"payload.text": "Field required"}),
        ({"type": "echo", "payload": {"text": "x", "tims": 2}}, {"payload.tims": "is not a parameter here"}),
        (
            {"type": "echo", "payload": {"text": "x", "times": 11}},
            {"payload.times": "Input should be less than or equal to 10"},
        ),
        ({"payload": {}}, {"type": "Field required"}),
        ({"type": "echo", "payload": [1]}, {"payload": "Input should be a valid dictionary"}),
        ({"type": "echo", "payload": {}, "prority": 1}, {"prority": "is not a field here"}),
    ],
)
def test_a_bad_job_is_422_and_names_the_field(
    api: httpx.Client, body: dict[str, Any], expected: dict[str, str]
) -> None:
    assert fields(api.post("/jobs", json=body, headers=KEY)) == expected


@pytest.mark.parametrize("text", [r"a\u0000b", r"\ud800"])
def test_text_that_postgres_cannot_hold_is_422(api: httpx.Client, text: str) -> None:
    body = f'{{"type": "echo", "payload": {{"text": "{text}"}}}}'
    answer = api.post("/jobs", content=body, headers=KEY | {"Content-Type": "application/json"})
    assert list(fields(answer)) in (["payload"], ["payload.text"])


def test_numbers_that_are_not_json_are_refused(api: httpx.Client) -> None:
    body = '{"type": "echo", "payload": {"text": "x", "numbers": [NaN]}}'
    answer = api.post("/jobs", content=body, headers=KEY | {"Content-Type": "application/json"})
    assert answer.status_code in (202, 400, 422), answer.text
    if answer.status_code == 202:
        assert answer.json()["payload"]["numbers"] == [None]


def test_broken_json_is_400(api: httpx.Client) -> None:
    answer = api.post("/jobs", content='{"type": ', headers=KEY | {"Content-Type": "application/json"})
    assert problem(answer, 400)["detail"] == "The body is not valid JSON."


def test_one_idempotency_key_makes_one_job(api: httpx.Client) -> None:
    headers = KEY | {"Idempotency-Key": "k-1"}
    first = api.post("/jobs", json=ECHO, headers=headers)
    again = api.post("/jobs", json={"type": "echo", "payload": {"times": 1, "text": "hello"}}, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    other = api.post("/jobs", json={"type": "echo", "payload": {"text": "other"}}, headers=headers)
    assert problem(other, 409)["errors"][0]["field"] == "Idempotency-Key"
    assert len(api.get("/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "two words"])
def test_a_bad_idempotency_key_is_422(api: httpx.Client, key: str) -> None:
    assert list(fields(api.post("/jobs", json=ECHO, headers=KEY | {"Idempotency-Key": key}))) == ["idempotency-key"]


def test_a_large_body_is_413_declared_or_chunked(api: httpx.Client) -> None:
    body = b'{"type": "echo", "payload": {"text": "' + b"x" * 1024**2 + b'"}}'
    declared = api.post("/jobs", content=body, headers=KEY)
    assert problem(declared, 413)["detail"] == "The body is larger than 1048576 bytes."
    chunked = api.post("/jobs", content=iter([body[: len(body) // 2], body[len(body) // 2 :]]), headers=KEY)
    problem(chunked, 413)


def test_lists_filter_and_page(api: httpx.Client) -> None:
    ids = [api.post("/jobs", json=ECHO, headers=KEY).json()["id"] for _ in range(3)]
    api.delete(f"/jobs/{ids[0]}", headers=KEY)
    page = api.get("/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in page["jobs"]] == [ids[2], ids[1]]
    rest = api.get("/jobs", params={"limit": 2, "cursor": page["next"]}).json()
    assert ([job["id"] for job in rest["jobs"]], rest["next"]) == ([ids[0]], None)
    cancelled = api.get("/jobs", params={"state": "cancelled", "type": "echo"}).json()
    assert [job["id"] for job in cancelled["jobs"]] == [ids[0]]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_a_bad_list_parameter_is_422(api: httpx.Client, params: dict[str, str], field: str) -> None:
    assert list(fields(api.get("/jobs", params=params))) == [field]


def test_a_job_that_does_not_exist_is_404(api: httpx.Client) -> None:
    problem(api.get(f"/jobs/{uuid4()}"), 404)
    problem(api.delete(f"/jobs/{uuid4()}", headers=KEY), 404)
    assert "'17'" in problem(api.get("/jobs/17"), 404)["detail"]
    problem(api.get("/nowhere"), 404)
    problem(api.put("/jobs", json={}), 405)


def test_cancelling_twice_is_409(api: httpx.Client) -> None:
    job_id = api.post("/jobs", json=ECHO, headers=KEY).json()["id"]
    answer = api.delete(f"/jobs/{job_id}", headers=KEY)
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert problem(api.delete(f"/jobs/{job_id}", headers=KEY), 409)["detail"] == "The job is already cancelled."


def test_a_failed_job_tells_its_error(api: httpx.Client, settings: Settings) -> None:
    job_id = api.post("/jobs", json=ECHO, headers=KEY).json()["id"]
    database = Database(settings, "worker")
    database.open()
    ledger = Ledger(database)
    (job,), _ = ledger.list_jobs()
    claim = ledger.claim(job.id, "w1", 30)
    assert isinstance(claim, Claim)
    ledger.fail(claim, Failure("ValueError", "no such symbol", "T", "f1"))
    database.close()
    error = api.get(f"/jobs/{job_id}").json()["error"]
    assert error == {
        "type": "ValueError",
        "message": "no such symbol",
        "fingerprint": "f1",
        "fault": "job",
        "traceback": "T",
    }
    assert api.get("/jobs", params={"state": "dead"}).json()["jobs"][0]["error"]["traceback"] is None


def test_only_a_dead_job_is_removed_and_only_with_the_key(api: httpx.Client, settings: Settings) -> None:
    job_id = api.post("/jobs", json=ECHO, headers=KEY).json()["id"]
    why = problem(api.delete(f"/dead-letters/{job_id}", headers=KEY), 409)["detail"]
    assert why == "The job is queued; only a dead one can be removed."
    database = Database(settings, "worker")
    database.open()
    ledger = Ledger(database)
    claim = ledger.claim(UUID(job_id), "w1", 30)
    assert isinstance(claim, Claim)
    ledger.fail(claim, Failure("ValueError", "no such symbol", "T", "f1"))
    database.close()
    problem(api.delete(f"/dead-letters/{job_id}"), 401)
    assert api.delete(f"/dead-letters/{job_id}", headers=KEY).status_code == 204
    problem(api.get(f"/jobs/{job_id}"), 404)
    problem(api.delete(f"/dead-letters/{job_id}", headers=KEY), 404)


def test_job_types(api: httpx.Client) -> None:
    answer = api.get("/job-types").json()
    assert answer["quarantined"] == [{"name": "broken", "error": "ImportError: no module named nowhere"}]
    (echo,) = answer["job_types"]
    assert (echo["name"], echo["version"], echo["max_attempts"]) == ("echo", 3, 2)
    assert echo["schema"]["properties"]["times"]["maximum"] == 10


def test_the_documentation_is_served(api: httpx.Client) -> None:
    assert api.get("/docs").status_code == 200
    assert set(api.get("/openapi.json").json()["paths"]) >= {"/jobs", "/jobs/{job_id}", "/health", "/workers"}
