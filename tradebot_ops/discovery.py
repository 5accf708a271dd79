"""Import every file of a package that declares something, so that adding one is adding a file."""

import importlib
import pkgutil
from types import ModuleType


def modules(package: str) -> tuple[ModuleType, ...]:
    """All modules of a package in name order. An import that fails raises: a missing part is never silent."""
    parent = importlib.import_module(package)
    return tuple(
        importlib.import_module(f"{package}.{found.name}")
        for found in sorted(pkgutil.iter_modules(parent.__path__), key=lambda item: item.name)
    )
