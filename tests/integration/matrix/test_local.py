"""The newcomer's matrix with the stack up: first every command that reads, then those that change it, `down` last."""

from collections.abc import Iterator

import pytest

from tests.cli.tree import dotted
from tests.integration.local.test_monitoring import monitored, require_monitoring
from tests.integration.matrix.calls import CHANGES, CHANGING, ELSEWHERE, HABITS, PATHS, READING, Matrix, facts, habit
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-matrix"), pytest.mark.timeout(420)]

Stack = tuple[Tradebot, dict[str, str]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("matrix")
    project = monitored(folder / "home", WORKER_REPLICAS="2")
    try:
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project, facts(project, folder)
    finally:
        project.clean()


@pytest.mark.parametrize("typed", HABITS)
def test_a_habit_from_compose(typed: str, stack: Stack) -> None:
    habit(stack[0], typed)


@pytest.mark.parametrize("path", [*READING, *CHANGING], ids=dotted)
def test_a_command_with_the_stack_up(
    path: list[str], stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, names = stack
    Matrix(project, monkeypatch, capsys).examine(path, names)


def test_what_has_a_line_of_its_own_is_a_command() -> None:
    assert set(CHANGES) <= {dotted(path) for path in PATHS}
    assert all((ROOT / elsewhere).is_file() for elsewhere in ELSEWHERE.values())
