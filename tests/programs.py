"""The monitoring programs that tests run: from a variable, or from PATH."""

import os
import shutil

import pytest

#: Debian prefixes the names of some.
_NAMES = {
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
    "node_exporter": ("node_exporter", "prometheus-node-exporter"),
    "redis_exporter": ("redis_exporter", "prometheus-redis-exporter"),
    "postgres_exporter": ("postgres_exporter", "prometheus-postgres-exporter"),
}


def program(name: str) -> str:
    """The path of ``name``: the variable ``TRADEBOT_<NAME>``, else PATH. Missing: fail in CI, skip elsewhere."""
    variable = f"TRADEBOT_{name.upper()}"
    for candidate in (os.environ.get(variable, ""), *_NAMES.get(name, (name,))):
        if candidate and (found := shutil.which(candidate)):
            return found
    reason = f"{name} is not installed: put it on PATH or name it in {variable}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
