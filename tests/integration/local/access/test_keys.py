"""Named keys of the API on a stack that runs: from the shell into a request, until they are revoked."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-keys")]

JOB = {"type": "canary", "payload": {}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    environ = ports() | {"WORKER_REPLICAS": "1"}
    project = Tradebot(tmp_path_factory.mktemp("keys") / "home", environ=environ)
    try:
        project.ok("up", "--profile", "core", timeout=300)
        yield project
    finally:
        project.clean()


def api(stack: Tradebot, key: str = "") -> httpx.Client:
    headers = {"X-API-Key": key} if key else {}
    base = f"http://127.0.0.1:{stack.environ['API_PORT']}"
    return httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=30)


def test_a_key_is_made_used_and_refused_once_it_is_revoked(stack: Tradebot) -> None:
    key = stack.ok("keys", "create", "nightly", "--role", "operate", "--expires", "90d").strip()
    assert key.startswith("tb_"), "nothing else is printed"
    with api(stack, key) as client:
        assert client.post("/jobs", json=JOB).status_code == 202
        assert client.get("/keys").status_code == 403
        (listed,) = stack.json("keys", "list")
        assert (listed["name"], listed["role"], listed["state"]) == ("nightly", "operate", "active")
        assert listed["last_used_at"]
        again = stack.run("keys", "create", "nightly", "--role", "read")
        assert (again.returncode, again.stdout) == (1, "")
        assert "There is an API key nightly already" in again.stderr
        stack.ok("keys", "revoke", "nightly")
        refused = client.post("/jobs", json=JOB)
    assert refused.status_code == 401
    assert "was revoked" in refused.json()["detail"]
    shown = stack.ok("audit"), stack.ok("audit", "--api"), stack.ok("keys", "list"), stack.ok("logs", "api")
    assert "keys create nightly operate" in shown[0]
    assert "POST /jobs" in shown[1]
    asked = stack.json("audit", "--api", "--by", "key:nightly")["calls"]
    assert [(each["method"], each["path"], each["status"]) for each in asked] == [("POST", "/jobs", 202)]
    assert key not in "".join(shown)


def test_on_every_address_reading_needs_a_key_and_the_commands_go_on(stack: Tradebot) -> None:
    key = stack.ok("keys", "create", "reader", "--role", "read", "--json")
    reader = json.loads(key)["data"]["key"]
    with api(stack) as stranger, api(stack, reader) as known:
        assert stranger.get("/jobs").status_code == 200
        stack.environ["API_ADDRESS"] = "0.0.0.0"
        stack.ok("up", "--profile", "core", timeout=300)
        assert stranger.get("/jobs").status_code == stranger.get("/alerts").status_code == 401
        assert stranger.get("/health/ready").status_code == stranger.get("/metrics").status_code == 200
        assert known.get("/jobs").status_code == 200
        assert known.post("/jobs", json=JOB).status_code == 403
    assert stack.json("jobs", "list")
    assert stack.json("jobs", "submit", "canary", "--wait")["state"] == "succeeded"
