"""Local projects for tests: each in its own state folder, all gone afterwards."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.contract import Harness, tiny_stack
from tests.waiting import free_port
from tradebot_ops.engines.local import LocalEngine
from tradebot_ops.state import ProjectState

Project = Callable[..., Harness]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Make local projects: ``project(home=…)`` puts the state somewhere special."""
    made: list[Harness] = []

    def make(home: Path = tmp_path, port: int = 0) -> Harness:
        name = f"test-{uuid.uuid4().hex[:8]}"
        port = port or free_port()

        def opened() -> LocalEngine:
            return LocalEngine(name, ProjectState(home / name), dict(os.environ))

        harness = Harness(opened(), tiny_stack(name, tmp_path, port), port, reopen=opened)
        made.append(harness)
        return harness

    yield make
    for harness in made:
        harness.engine.destroy(None, volumes=True)
