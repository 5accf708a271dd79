"""Projects on Docker, shared by the tests of one file or made for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import NEEDED, clean, project
from tests.integration.tradebot import Tradebot


@pytest.fixture
def tradebot(tmp_path: Path) -> Iterator[Tradebot]:
    """A project that is not up."""
    require_docker(*NEEDED)
    made = project(tmp_path / "home")
    yield made
    clean(made)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """A project that is up, with two workers."""
    require_docker(*NEEDED)
    made = project(tmp_path_factory.mktemp("running") / "home", WORKER_REPLICAS="2")
    try:
        made.ok("up")
        yield made
    finally:
        clean(made)
