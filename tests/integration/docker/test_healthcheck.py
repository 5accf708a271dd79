"""Health checks of a description on Docker, which runs them itself; and the image's own command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import PYTHON, require_docker
from tests.integration.docker.rig import clean
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-healthcheck")]

COMPOSE = """
services:
  db:
    image: {image}
    command: [sleep, infinity]
    init: true
    healthcheck: {{test: {test}, interval: 1s, retries: 2}}
    stop_grace_period: 1s
  app:
    image: {image}
    entrypoint:
    command: [sleep, infinity]
    init: true
    depends_on: {{db: {{condition: service_healthy}}}}
    stop_grace_period: 1s
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Tradebot]:
    require_docker(PYTHON)
    project = Tradebot(tmp_path / "home", "docker", tmp_path)
    try:
        yield project
    finally:
        clean(project)


def test_an_unhealthy_replica_holds_up_who_waits_for_it_and_is_called_so(project: Tradebot) -> None:
    (project.cwd / "compose.yaml").write_text(COMPOSE.format(image=PYTHON, test='[CMD, "false"]'))
    ended = project.run("up")
    assert ended.returncode == 1
    assert "db 1 is unhealthy" in ended.stdout + ended.stderr
    assert project.states() == {"db-1": "unhealthy", "app-1": "missing"}


def test_a_check_that_passes_makes_it_ready(project: Tradebot) -> None:
    (project.cwd / "compose.yaml").write_text(COMPOSE.format(image=PYTHON, test='"true"'))
    project.ok("up")
    assert project.states() == {"db-1": "ready", "app-1": "running"}
