"""A project is asked for, and taken down, where it is: also on a host where another engine answers, too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.docker]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Tradebot]:
    """A project on the local engine."""
    project = Tradebot(tmp_path / "home", environ=ports() | {"WORKER_REPLICAS": "1"})
    try:
        project.ok("up", "--no-canary")
        yield project
    finally:
        project.clean()


def test_a_local_project_is_found_and_ended_beside_a_docker_engine(local: Tradebot) -> None:
    any_engine = replace(local, engine="auto")
    assert any_engine.json("status")["engine"] == {"name": "local", "why": "the last up was on it"}

    on_docker = replace(local, engine="docker")
    assert "is on the local engine, too" in on_docker.ok("down", "--volumes", "--yes")
    assert any_engine.states()["api-1"] == "ready"
    any_engine.ok("jobs", "list")

    any_engine.ok("down", "--volumes", "--yes")
    assert not local.processes()
    assert not (local.state / "secrets").exists()
