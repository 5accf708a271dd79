"""The newcomer's matrix with the stack up on Docker: every command that reads."""

from collections.abc import Iterator

import pytest

from tests.cli.tree import dotted
from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import MONITORING_IMAGES, NEEDED, clean, monitored
from tests.integration.matrix.calls import HABITS, READING, Matrix, facts, habit
from tests.integration.tradebot import Tradebot

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-matrix"),
    pytest.mark.timeout(420),
]

Stack = tuple[Tradebot, dict[str, str]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    require_docker(*NEEDED, *MONITORING_IMAGES.values())
    folder = tmp_path_factory.mktemp("matrix")
    project = monitored(folder / "home")
    try:
        project.ok("up", timeout=300)
        yield project, facts(project, folder)
    finally:
        clean(project)


@pytest.mark.parametrize("typed", HABITS)
def test_a_habit_from_compose(typed: str, stack: Stack) -> None:
    habit(stack[0], typed)


@pytest.mark.parametrize("path", READING, ids=dotted)
def test_a_command_with_the_stack_up(
    path: list[str], stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, names = stack
    Matrix(project, monkeypatch, capsys).examine(path, names)
