"""A bot of the user's own beside the stack, in containers."""

from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import MONITORING_IMAGES, NEEDED, clean, monitored
from tests.integration.monitoring.own_bot import assert_scraped, write

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-monitoring"),
    pytest.mark.timeout(420),
]


def test_a_bot_with_the_alias_is_scraped(tmp_path: Path) -> None:
    require_docker(*NEEDED, *MONITORING_IMAGES.values())
    stack = monitored(tmp_path / "home")
    stack.cwd = write(tmp_path)
    try:
        stack.ok("up", timeout=300)
        assert_scraped(stack)
    finally:
        clean(stack)
