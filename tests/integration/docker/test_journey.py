"""The same journey as without Docker, on containers."""

import json
import stat

import httpx
import pytest

from tests.integration.docker.rig import inspected, remains
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-journey")]

BACKTEST = ("symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")
APP = ("migrate-1", "api-1", "worker-1", "worker-2")


def test_everything_is_ready_after_up(running: Tradebot) -> None:
    expected = {"redis-1": "ready", "postgres-1": "ready", "migrate-1": "done", "api-1": "ready"}
    assert running.states() == expected | {"worker-1": "ready", "worker-2": "ready"}


def test_a_second_up_changes_nothing_and_says_so(running: Tradebot) -> None:
    before = {name: inspected(f"{running.project}-{name}")["State"]["StartedAt"] for name in APP}
    assert "Nothing to change" in running.ok("up")
    assert {name: inspected(f"{running.project}-{name}")["State"]["StartedAt"] for name in APP} == before


def test_a_backtest_gives_the_figures_it_gives_everywhere(running: Tradebot) -> None:
    running.ok("jobs", "submit", "load_candles", "--wait")
    document = json.loads(running.ok("jobs", "submit", "backtest", *BACKTEST, "--wait", "--json"))
    metrics = document["data"]["result"]["metrics"]
    assert round(metrics["max_drawdown"], 4) == -0.5028
    assert round(metrics["total_return"], 4) == 8.2868


def test_the_app_runs_unprivileged_on_a_read_only_root(running: Tradebot) -> None:
    for name in APP:
        found = inspected(f"{running.project}-{name}")
        assert found["Config"]["User"] == "10001:10001"
        assert found["HostConfig"]["ReadonlyRootfs"]
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["Init"]


def test_secrets_are_closed_to_this_host_and_open_to_the_service(running: Tradebot) -> None:
    folder = running.state / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    env = {line for name in APP for line in inspected(f"{running.project}-{name}")["Config"]["Env"]}
    for secret in folder.iterdir():
        # Opened for the containers that mount it, else still as it was made.
        assert stat.S_IMODE(secret.stat().st_mode) in {0o444, 0o600}
        text = secret.read_text().strip()
        assert text or secret.name.startswith("tls_"), f"{secret.name} is empty"
        assert not text or not any(text in line for line in env)
    # The API answered: so a process of uid 10001 read its key and its passwords.
    base = f"http://{running.status()['api-1']['published']['8010']}"
    key = (folder / "api_key").read_text().strip()
    job = {"type": "canary", "payload": {}}
    assert httpx.post(f"{base}/jobs", json=job, trust_env=False).status_code == 401
    assert httpx.post(f"{base}/jobs", json=job, headers={"X-API-Key": key}, trust_env=False).status_code == 202


def test_only_the_first_worker_publishes_its_metrics(running: Tradebot) -> None:
    published = [
        bool(inspected(f"{running.project}-worker-{number}")["NetworkSettings"]["Ports"]["9091/tcp"])
        for number in (1, 2)
    ]
    assert published == [True, False]


def test_status_logs_and_exec_speak_of_the_same_replicas(running: Tradebot) -> None:
    lines = running.ok("logs", "worker", "--tail", "5")
    assert "worker started" in lines or "job done" in lines


def test_databases_are_shut_down_not_killed(tradebot: Tradebot) -> None:
    tradebot.ok("up", "redis", "postgres")
    tradebot.ok("stop", "redis", "postgres")
    ended = {name: inspected(f"{tradebot.project}-{name}-1")["State"]["ExitCode"] for name in ("redis", "postgres")}
    assert ended == {"redis": 0, "postgres": 0}
    assert "database system is shut down" in tradebot.ok("logs", "postgres")


def test_down_leaves_the_data_and_nothing_else(tradebot: Tradebot) -> None:
    tradebot.ok("up")
    tradebot.ok("down")
    left = remains(tradebot.project)
    assert (left["containers"], left["networks"]) == ([], [])
    assert sorted(left["volumes"]) == [f"{tradebot.project}_postgres-data", f"{tradebot.project}_redis-data"]
    tradebot.ok("down", "--volumes", "--yes")
    assert not any(remains(tradebot.project).values())
    assert tradebot.run("down").returncode == 0
