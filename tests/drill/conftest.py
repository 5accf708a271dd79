"""Drills take minutes each: they run only when they are asked for, with ``pytest -m drill``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave drills out of a run that did not name them."""
    if "drill" in str(config.getoption("markexpr")):
        return
    drills = [item for item in items if item.get_closest_marker("drill")]
    if drills:
        config.hook.pytest_deselected(items=drills)
        items[:] = [item for item in items if item not in drills]
