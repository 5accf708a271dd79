"""A rotation of secrets on Docker is killed at each of its steps: the stack works, and the same command finishes it.

On the local engine tests/integration/local/test_secrets.py has it. CI runs one of the steps, and
``pytest -n 0 -m drill tests/drill/test_rotation.py`` all.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import MONITORING_IMAGES, NEEDED, clean, monitored
from tests.integration.rotation import STEPS, finishes_after_a_kill
from tests.integration.tradebot import Tradebot

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-rotation"),
]

#: Redis has taken the new password, and no service that runs has read it.
SAMPLE = ("redis_password", 4)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    require_docker(*NEEDED, *MONITORING_IMAGES.values())
    made = monitored(tmp_path_factory.mktemp("rotation") / "home")
    try:
        made.ok("up", timeout=300)
        yield made
    finally:
        clean(made)


def each(name: str, step: int) -> object:
    return pytest.param(name, step, marks=[pytest.mark.sample] if (name, step) == SAMPLE else [])


@pytest.mark.parametrize(("name", "step"), [each(name, step) for name, steps in STEPS.items() for step in steps])
def test_killed_at_any_step_the_stack_works_and_the_same_command_finishes(
    stack: Tradebot, tmp_path: Path, name: str, step: int
) -> None:
    finishes_after_a_kill(stack, tmp_path, name, step)
