"""The stack of the drills. They run only when they are asked for: tests/conftest.py."""

from collections.abc import Iterator

import pytest

from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """One with monitoring, on the local engine, for all drills of a file."""
    found = monitored(tmp_path_factory.mktemp("drill"))
    try:
        found.ok("up", timeout=300)
        yield found
    finally:
        found.clean()
