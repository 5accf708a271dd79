"""A bot of the user's own beside the stack, on the local engine."""

from pathlib import Path

import pytest

from tests.integration.local.test_monitoring import monitored, require_monitoring
from tests.integration.monitoring.own_bot import assert_scraped, write

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-monitoring"), pytest.mark.timeout(420)]


def test_a_bot_with_the_alias_is_scraped(tmp_path: Path) -> None:
    stack = monitored(tmp_path / "home", WORKER_REPLICAS="1")
    stack.cwd = write(tmp_path)
    try:
        stack.ok("up", timeout=300)
        require_monitoring(stack)
        assert_scraped(stack)
    finally:
        stack.clean()
