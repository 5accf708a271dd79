"""The programs that tests run: from a variable, from PATH, or fetched as `tradebot up` does it."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tradebot_ops.debian import packages
from tradebot_ops.engines.local.programs import alertmanager as local
from tradebot_ops.errors import OpsError

#: How Debian spells one that `tradebot up` does not fetch.
_NAMES = {"docker_registry": ("docker-registry",)}
#: What a test that ends here in CI begins with; the end of the run names each reason once.
MISSING = "This machine lacks something: "


def missing(reason: str) -> NoReturn:
    """End a test that cannot run on this machine: skipped, but in CI every part must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{MISSING}{reason}", pytrace=False)
    pytest.skip(reason)


def program(name: str) -> str:
    """The path of ``name``: the variable ``TRADEBOT_<NAME>``, PATH, what can be fetched; else it is ``missing``."""
    variable = f"TRADEBOT_{name.upper()}"
    known, _ = packages.PROGRAMS.get(name, (_NAMES.get(name, (name,)), ""))
    for candidate in (os.environ.get(variable, ""), *known):
        if candidate and (found := shutil.which(candidate)):
            return found
    if name not in packages.PROGRAMS:
        missing(f"{name} is not installed: put it on PATH or name it in {variable}")
    try:
        return str(packages.obtain(name, os.environ, lambda _line: None))
    except OpsError as error:
        missing(f"{error.message} {error.hint}")


def alertmanager(folder: Path) -> str:
    """The path of Alertmanager, to be started in ``folder``: a fetched one reads its templates there."""
    found = Path(program("alertmanager"))
    if not found.is_relative_to(packages.folder(os.environ)):
        return str(found)
    local.PROGRAM.obtain(os.environ, lambda _line: None)
    shutil.copytree(packages.folder(os.environ) / local.TEMPLATES.decode().lstrip("/"), folder, dirs_exist_ok=True)
    return str(found.with_name(local.MOVABLE))
