"""The programs that tests run, from a variable or from PATH, and what happens where one is missing."""

import os
import shutil
from typing import NoReturn

import pytest

#: How Debian spells them.
_NAMES = {
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
    "node_exporter": ("node_exporter", "prometheus-node-exporter"),
    "redis_exporter": ("redis_exporter", "prometheus-redis-exporter"),
    "docker_registry": ("docker-registry",),
    "postgres_exporter": ("postgres_exporter", "prometheus-postgres-exporter"),
}


def missing(reason: str) -> NoReturn:
    """End a test that cannot run on this machine: skipped, but in CI every part must be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """The path of ``name``: the variable ``TRADEBOT_<NAME>``, else PATH. Missing: fail in CI, skip elsewhere."""
    variable = f"TRADEBOT_{name.upper()}"
    for candidate in (os.environ.get(variable, ""), *_NAMES.get(name, (name,))):
        if candidate and (found := shutil.which(candidate)):
            return found
    missing(f"{name} is not installed: put it on PATH or name it in {variable}")
