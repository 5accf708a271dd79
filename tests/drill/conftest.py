"""Drills take minutes each: they run only when they are asked for, with ``pytest -m drill``."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave drills out of a run that did not name them."""
    if "drill" in str(config.getoption("markexpr")):
        return
    drills = [item for item in items if item.get_closest_marker("drill")]
    if drills:
        config.hook.pytest_deselected(items=drills)
        items[:] = [item for item in items if item not in drills]
