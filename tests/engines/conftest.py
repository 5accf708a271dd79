"""One fixture runs the contract suite over every engine."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.contract import Harness, tiny_stack
from tests.engines.docker.parts import PYTHON, on_docker, require_docker, unique_project
from tests.waiting import free_port
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.engines.docker.engine import DockerEngine
from tradebot_ops.engines.local import LocalEngine
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.state import ProjectState

REAL_ENGINES = [
    pytest.param("local", marks=pytest.mark.integration),
    pytest.param("docker", marks=[pytest.mark.integration, pytest.mark.docker]),
]


@pytest.fixture(params=["stub", *REAL_ENGINES])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """Every engine."""
    yield from _opened(request.param, tmp_path)


@pytest.fixture(params=REAL_ENGINES)
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """The engines that run programs; the stub keeps everything in memory."""
    yield from _opened(request.param, tmp_path)


def _opened(engine: str, folder: Path) -> Iterator[Harness]:
    made = {"stub": _stub, "local": _local, "docker": _docker}[engine](folder)
    yield made
    made.engine.destroy(None, volumes=True)


def _stub(folder: Path) -> Harness:
    port = free_port()
    engine = StubEngine(exit_codes={"failing": 3}, answers={("true",): ExecResult(0, "")})
    return Harness(engine, tiny_stack("stub", folder, port), port, reopen=lambda: engine)


def _local(folder: Path) -> Harness:
    port = free_port()
    project = f"test-{uuid.uuid4().hex[:8]}"

    def opened() -> LocalEngine:
        return LocalEngine(project, ProjectState(folder / "state" / project), dict(os.environ))

    return Harness(opened(), tiny_stack(project, folder, port), port, reopen=opened)


def _docker(folder: Path) -> Harness:
    require_docker(PYTHON)
    port = free_port()
    project = unique_project()
    environ = {**os.environ, "TRADEBOT_STATE": str(folder / "state")}

    def opened() -> DockerEngine:
        return DockerEngine(project, environ)

    stack = on_docker(tiny_stack(project, folder, port, image=PYTHON))
    return Harness(opened(), stack, port, reopen=opened)
