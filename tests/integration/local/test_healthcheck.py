"""Health checks of a description on the local engine, which has nobody else to run them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-healthcheck")]

COMPOSE = """
services:
  db:
    image: none:1
    command: [sleep, "100000"]
    healthcheck: {{test: {test}, interval: 1s, retries: 2}}
    stop_grace_period: 1s
  app:
    image: none:1
    command: [sleep, "100000"]
    depends_on: {{db: {{condition: service_healthy}}}}
    stop_grace_period: 1s
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Tradebot]:
    project = Tradebot(tmp_path / "home", "local", tmp_path)
    try:
        yield project
    finally:
        project.clean()


def test_an_unhealthy_replica_holds_up_who_waits_for_it_and_is_called_so(project: Tradebot) -> None:
    (project.cwd / "compose.yaml").write_text(COMPOSE.format(test='[CMD, "false"]'))
    ended = project.run("up")
    assert ended.returncode == 1
    assert "db 1 is unhealthy" in ended.stdout + ended.stderr
    assert project.states() == {"db-1": "unhealthy", "app-1": "missing"}


def test_a_check_that_passes_makes_it_ready(project: Tradebot) -> None:
    ready = project.cwd / "ready"
    (project.cwd / "compose.yaml").write_text(COMPOSE.format(test=f'"test -e {ready}"'))
    ready.write_text("")
    project.ok("up")
    assert project.states() == {"db-1": "ready", "app-1": "running"}
    ready.unlink()
    assert project.states()["db-1"] == "unhealthy"
