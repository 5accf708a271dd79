"""Named keys on a real Postgres: made, used, ended, and refused in every API process; what changed is on record."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from services.api.access.calls import ApiCalls
from services.api.access.keys import KeyStore, hashed, id_of, new_key
from services.api.access.roles import Role
from services.common.database import Database
from services.common.logging import configure_logging
from services.common.settings import Settings
from tests.integration.services.conftest import KEY, Serve

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
WHOLE = sql.SQL("SELECT to_jsonb(t) FROM {} AS t")
ECHO = {"type": "echo", "payload": {"text": "x"}}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings, "test")) as opened:
        opened.open()
        yield opened


def beyond(settings: Settings) -> Settings:
    return settings.model_copy(update={"api_published_on": "0.0.0.0"})


def made(api: httpx.Client, name: str, role: str, **more: Any) -> dict[str, str]:
    answer = api.post("/keys", json={"name": name, "role": role} | more, headers=KEY | {"X-Requested-By": "ana@desk"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return {"X-API-Key": answer.json()["key"]}


def refusal(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers.get("www-authenticate") == "ApiKey") is (status == 401)
    return str(answer.json()["detail"])


def test_the_store_keeps_a_hash_and_knows_a_key_again(database: Database) -> None:
    store = KeyStore(database, Clock())
    created = store.create("nightly", Role.OPERATE, None, "ana")
    assert created is not None
    key, secret = created
    text = secret.get_secret_value()
    assert store.find(text) == key
    assert (key.name, key.role, key.created_by, key.created_at) == ("nightly", Role.OPERATE, "ana", NOON)
    other = new_key().get_secret_value()
    assert store.find(other) is None
    assert store.find(text[:-1] + ("A" if text[-1] != "A" else "B")) is None, "the right id, another secret"
    assert store.find("integration-api-key") is None
    (row,) = database.rows("SELECT * FROM api_key")
    assert row["hash"] == hashed(text)
    assert text not in str(row)
    assert text.removeprefix(f"tb_{id_of(text)}_") not in str(row)


def test_a_name_is_free_again_once_its_key_is_revoked(database: Database) -> None:
    clock = Clock()
    store = KeyStore(database, clock)
    assert store.create("nightly", Role.READ, NOON + timedelta(hours=1), "ana")
    clock.now += timedelta(hours=2)
    assert store.create("nightly", Role.READ, None, "ana") is None, "also where it has expired"
    ended = store.revoke("nightly", "ben")
    assert ended is not None
    assert (ended.state(clock.now), ended.revoked_by, ended.revoked_at) == ("revoked", "ben", clock.now)
    assert store.revoke("nightly", "ben") is None
    assert store.create("nightly", Role.ADMIN, None, "ana")
    assert [(each.name, each.state(clock.now)) for each in store.all()] == [
        ("nightly", "revoked"),
        ("nightly", "active"),
    ]


def test_its_last_use_is_noted_once_a_minute(database: Database) -> None:
    clock = Clock()
    store = KeyStore(database, clock)
    assert store.create("nightly", Role.READ, None, "ana")
    seen = []
    for seconds in (0, 30, 59, 61):
        clock.now = NOON + timedelta(seconds=seconds)
        store.used(store.all()[0])
        seen.append(store.all()[0].last_used_at)
    assert seen == [NOON, NOON, NOON, NOON + timedelta(seconds=61)]


def test_a_revoked_key_is_refused_at_the_next_request_of_each_process(serve: Serve, settings: Settings) -> None:
    first, second = serve(settings), serve(settings)
    key = made(first, "nightly", "operate")
    assert [api.post("/jobs", json=ECHO, headers=key).status_code for api in (first, second)] == [202, 202]
    assert first.delete("/keys/nightly", headers=KEY).json()["state"] == "revoked"
    for api in (second, first):
        assert refusal(api.post("/jobs", json=ECHO, headers=key), 401).startswith("The API key nightly was revoked on ")
    wrong = {"X-API-Key": key["X-API-Key"][:-4] + "0000"}
    assert refusal(first.post("/jobs", json=ECHO, headers=wrong), 401) == "The API key is wrong."
    refusal(first.delete("/keys/nightly", headers=KEY), 404)


def test_a_key_ends_when_its_time_has_come(serve: Serve, settings: Settings) -> None:
    clock = Clock()

    def at_noon(app: FastAPI) -> None:
        app.state.dependencies.keys.clock = clock

    api = serve(settings, at_noon)
    key = made(api, "short", "operate", expires_at="2026-11-28T14:00:00+01:00")
    clock.now = NOON + timedelta(seconds=3599)
    assert api.post("/jobs", json=ECHO, headers=key).status_code == 202
    clock.now = NOON + timedelta(seconds=3600)
    said = refusal(api.post("/jobs", json=ECHO, headers=key), 401)
    assert said == "The API key short expired on 2026-11-28 13:00:00 UTC."
    (listed,) = api.get("/keys", headers=KEY).json()["keys"]
    assert (listed["state"], listed["expires_at"]) == ("expired", "2026-11-28T13:00:00Z")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Nightly", "role": "read"}, {"name": "", "role": "read"}, {"name": "n", "role": "root"},
        {"name": "n", "role": "read", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "n", "role": "read", "expires_at": "2030-01-01T00:00:00"},
        {"name": "n", "role": "read", "expires_at": "9999-12-31T23:59:59-14:00"},
        {"name": "n", "role": "read", "key": "mine"},
    ],
)  # fmt: skip
def test_what_is_no_key_is_named(api: httpx.Client, body: dict[str, str]) -> None:
    answer = api.post("/keys", json=body, headers=KEY)
    refusal(answer, 422)
    assert answer.json()["errors"]


def test_each_role_opens_its_routes_and_no_other(serve: Serve, settings: Settings) -> None:
    api = serve(beyond(settings))
    keys = {role: made(api, role, role) for role in ("read", "operate", "admin")}
    asked = {
        "read": ("GET", "/jobs", None),
        "operate": ("POST", "/jobs", ECHO),
        "admin": ("POST", "/jobs/prune", {"older_than_s": 1e9, "states": ["succeeded"], "dry_run": True}),
    }
    order = list(keys)
    for has, key in keys.items():
        for needs, (method, path, body) in asked.items():
            answer = api.request(method, path, json=body, headers=key)
            if order.index(has) >= order.index(needs):
                assert answer.status_code < 300, answer.text
            else:
                assert refusal(answer, 403) == f"This needs the role {needs}; the API key {has} has {has}."


def test_the_key_of_the_stack_may_do_everything(api: httpx.Client) -> None:
    made(api, "nightly", "read")
    assert api.get("/keys", headers=KEY).status_code == 200
    assert api.get("/api-calls", headers=KEY).status_code == 200
    assert api.post("/keys", json={"name": "nightly", "role": "read"}, headers=KEY).status_code == 409


def test_beyond_loopback_reading_needs_a_key(serve: Serve, settings: Settings) -> None:
    inside, outside = serve(settings), serve(beyond(settings))
    key = made(inside, "reader", "read")
    for path in ("/jobs", "/alerts", "/errors", "/queues", "/job-types"):
        assert inside.get(path).status_code == 200
        assert "header X-API-Key" in refusal(outside.get(path), 401)
        refusal(outside.get(path, headers={"X-API-Key": "wrong"}), 401)
        assert outside.get(path, headers=key).status_code == outside.get(path, headers=KEY).status_code == 200
    for path in ("/health/live", "/health/ready", "/metrics", "/", "/openapi.json"):
        assert outside.get(path).status_code == 200
    secured = outside.get("/openapi.json").json()["paths"]["/jobs"]["get"]
    assert secured["security"] == [{"ApiKey": []}]
    assert "security" not in inside.get("/openapi.json").json()["paths"]["/jobs"]["get"]


def test_beyond_loopback_the_dashboard_works_after_its_login(serve: Serve, settings: Settings) -> None:
    api = serve(beyond(settings))
    assert api.get("/dashboard").status_code == 303
    refusal(api.get("/dashboard/panels"), 401)
    entered = api.post("/dashboard/login", data={"password": KEY["X-API-Key"]})
    cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    assert api.get("/dashboard", headers=cookie).status_code == 200
    assert api.get("/dashboard/panels", headers=cookie).status_code == 200
    assert api.get("/jobs", headers=cookie).status_code == 200
    refusal(api.post("/jobs", json=ECHO, headers=cookie), 401)
    assert api.get("/dashboard/panels", headers=made(api, "reader", "read")).status_code == 200


def test_while_postgres_is_away_only_the_key_of_the_stack_is_known(serve: Serve, settings: Settings) -> None:
    key = made(serve(settings), "nightly", "operate")
    away = serve(beyond(settings).model_copy(update={"database_url": "postgresql://tradebot@127.0.0.1:1/none"}))
    unsure = away.get("/job-types", headers=key)
    assert "not available" in refusal(unsure, 503)
    assert unsure.headers["retry-after"]
    assert away.get("/job-types", headers=KEY).status_code == 200
    refusal(away.get("/job-types", headers={"X-API-Key": "wrong"}), 401)


def calls(api: httpx.Client, **wanted: str) -> list[dict[str, Any]]:
    return list(api.get("/api-calls", params=wanted, headers=KEY).json()["calls"])


def test_each_direct_change_is_on_record_with_the_key_and_how_it_ended(api: httpx.Client) -> None:
    key = made(api, "nightly", "operate")
    job = api.post("/jobs", json=ECHO, headers=key | {"X-Requested-By": "mallory", "X-Request-ID": "r-7"}).json()["id"]
    api.get("/jobs", headers=key)
    api.post("/jobs", json={"type": "nope"}, headers=key)
    api.post("/queues/echo/purge", headers=key)
    api.delete(f"/jobs/{job}", headers=KEY)
    api.delete(f"/jobs/{job}", headers=KEY | {"User-Agent": "tradebot/1.0"})
    api.delete(f"/jobs/{job}", headers=key | {"User-Agent": "tradebot/1.0"})
    api.post("/jobs", json=ECHO, headers={"X-API-Key": "wrong"})
    found = [(each["by"], each["method"], each["route"], each["status"]) for each in calls(api)]
    assert found == [
        ("key:nightly", "DELETE", "/jobs/{job_id}", found[0][3]),
        ("api", "DELETE", "/jobs/{job_id}", 202),
        ("key:nightly", "POST", "/queues/{type}/purge", 403),
        ("key:nightly", "POST", "/jobs", 422),
        ("key:nightly", "POST", "/jobs", 202),
        ("ana@desk", "POST", "/keys", 201),
    ]
    assert [each["request_id"] for each in calls(api)][4] == "r-7"
    assert calls(api)[1]["path"] == f"/jobs/{job}"
    assert len(calls(api, by="key:nightly")) == 4
    assert len(calls(api, since_s="3600")) == len(found)
    events = api.get(f"/jobs/{job}").json()["events"]
    assert events[0]["by"] == "key:nightly", "the key names itself, not its holder"


def test_a_change_that_crashes_is_on_record_too(serve: Serve, settings: Settings) -> None:
    def broken(app: FastAPI) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("broken")

        object.__setattr__(app.state.dependencies.keys, "revoke", fail)

    api = serve(settings, broken)
    assert api.delete("/keys/nobody", headers=KEY).status_code == 500
    assert [(each["route"], each["status"]) for each in calls(api)] == [("/keys/{name}", 500)]


def test_a_record_that_cannot_be_kept_holds_up_no_answer(api: httpx.Client, database: Database) -> None:
    database.execute("ALTER TABLE api_call ADD CONSTRAINT full_up CHECK (false)")
    assert api.post("/jobs", json=ECHO, headers=KEY).status_code == 202
    assert calls(api) == []


def test_old_records_go(database: Database) -> None:
    kept = ApiCalls(database)
    for path in ("/old", "/new"):
        kept.add(by="api", method="POST", route="/jobs", path=path + "\0" + "x" * 500, status=202, request_id="")
    database.execute("UPDATE api_call SET at = now() - interval '401 days' WHERE path LIKE '/old%'")
    assert kept.prune() == 1
    (left,) = kept.latest(10)
    assert left["path"].startswith("/new\\x00xxx")
    assert len(left["path"]) == 300


def test_no_key_is_in_what_the_api_shows_or_stores(
    serve: Serve, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    api = serve(beyond(settings))
    key = made(api, "nightly", "operate")["X-API-Key"]
    for headers in ({"X-API-Key": key}, {"X-API-Key": key[:-1] + "-"}):
        api.post("/jobs", json=ECHO, headers=headers)
        api.post("/jobs/prune", json={}, headers=headers)
    api.delete("/keys/nightly", headers=KEY)
    refused = api.get("/jobs", headers={"X-API-Key": key}).text
    shown = [
        refused,
        *(api.get(path, headers=KEY).text for path in ("/keys", "/api-calls", "/metrics", "/errors", "/jobs")),
    ]
    out, err = capfd.readouterr()
    assert "api key made" in out + err
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        stored = [str(connection.execute(WHOLE.format(sql.Identifier(name))).fetchall()) for name in tables]
    secret = key.removeprefix(f"tb_{id_of(key)}_")
    assert [text for text in (*shown, out, err, json.dumps(stored)) if secret in text] == []
