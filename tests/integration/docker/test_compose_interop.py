"""Compose works on our stack, and we on one that Compose started."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import NEEDED, Compose, clean, inspected, plugin, project, remains
from tests.integration.tradebot import Tradebot
from tests.programs import missing

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-compose")]


@pytest.fixture
def tradebot(tmp_path: Path) -> Iterator[Tradebot]:
    require_docker(*NEEDED)
    if not plugin():
        missing("docker compose is not installed: .ci/docker-engine --peer")
    made = project(tmp_path / "home", WORKER_REPLICAS="1")
    yield made
    clean(made)


def services(compose: Compose) -> dict[str, str]:
    """Service and state of every container, as `docker compose ps` has them."""
    rows = [json.loads(line) for line in compose.run("ps", "--all", "--format", "json").splitlines()]
    return {row["Service"]: row["State"] for row in rows}


def database_volume(tradebot: Tradebot) -> str:
    mounts = inspected(f"{tradebot.project}-postgres-1")["Mounts"]
    return str(next(mount["Name"] for mount in mounts if mount["Type"] == "volume"))


def test_compose_lists_reads_and_removes_our_stack(tradebot: Tradebot) -> None:
    tradebot.ok("up")
    compose = Compose(tradebot)
    assert services(compose) == {
        "redis": "running",
        "postgres": "running",
        "migrate": "exited",
        "api": "running",
        "worker": "running",
    }
    assert "worker started" in compose.run("logs", "worker")
    compose.run("down", "--volumes")
    assert not any(remains(tradebot.project).values())
    assert set(tradebot.states().values()) == {"missing"}


def test_we_show_take_over_and_remove_what_compose_started(tradebot: Tradebot) -> None:
    tradebot.ok("up")  # makes the secrets, which Compose cannot
    volume = database_volume(tradebot)
    job = tradebot.ended(tradebot.submit("canary"))
    compose = Compose(tradebot)
    ours = inspected(f"{tradebot.project}-api-1")["Id"]
    compose.run("up", "--detach", "--wait")
    # Compose hashes a service its own way, so it makes containers anew and keeps volumes and network.
    assert inspected(f"{tradebot.project}-api-1")["Id"] != ours
    assert database_volume(tradebot) == volume
    assert tradebot.states()["api-1"] == "ready"
    assert tradebot.job(job["id"])["state"] == "succeeded"
    tradebot.ok("up")
    assert set(tradebot.states().values()) == {"ready", "done"}
    compose.run("up", "--detach", "--wait")
    tradebot.ok("down")
    assert remains(tradebot.project)["containers"] == []


def test_a_non_root_service_reads_its_secrets_under_plain_compose(tradebot: Tradebot) -> None:
    tradebot.ok("up")
    tradebot.ok("down")
    compose = Compose(tradebot)
    compose.run("up", "--detach", "--wait")
    found = inspected(f"{tradebot.project}-api-1")
    assert found["Config"]["User"] == "10001:10001"
    assert found["State"]["Health"]["Status"] == "healthy"
    compose.run("down")
