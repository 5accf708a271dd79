"""A running stack on the local engine, shared by the tests of one file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.tradebot import Tradebot
from tests.waiting import free_port


def ports() -> dict[str, str]:
    """Ports of this project's own, so that files run side by side."""
    return {"API_PORT": str(free_port()), "WORKER_METRICS_PORT": str(free_port())}


@pytest.fixture
def tradebot(tmp_path: Path) -> Iterator[Tradebot]:
    """A project that is not up; whatever the test starts is taken down."""
    project = Tradebot(tmp_path / "home", environ=ports())
    yield project
    project.clean()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """A project that is up, with two workers."""
    project = Tradebot(tmp_path_factory.mktemp("running") / "home", environ=ports() | {"WORKER_REPLICAS": "2"})
    try:
        project.ok("up")
        yield project
    finally:
        project.clean()
