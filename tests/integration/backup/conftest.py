"""Running stacks to back up; each test has backups of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """A project that is up on the local engine, with one worker."""
    project = Tradebot(tmp_path_factory.mktemp("backup") / "home", environ=ports() | {"WORKER_REPLICAS": "1"})
    try:
        project.ok("up")
        yield project
    finally:
        project.clean()


@pytest.fixture
def running(stack: Tradebot, tmp_path: Path) -> Tradebot:
    """The same with an empty place for backups."""
    stack.environ["TRADEBOT_BACKUPS"] = str(tmp_path / "backups")
    return stack
