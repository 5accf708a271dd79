"""Finds what the modules of a package offer, so that a new file there needs no entry anywhere else."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any


def modules(package: ModuleType) -> tuple[ModuleType, ...]:
    """Every module and sub-package of ``package``, imported, in the order of their names.

    A name with a leading underscore is skipped: its neighbours share it. Whatever an import raises is passed on.
    """
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names if not name.startswith("_"))


def discover(package: ModuleType, attribute: str) -> tuple[Any, ...]:
    """The ``attribute`` of every module that ``offering`` finds."""
    return tuple(getattr(module, attribute) for module in offering(package, attribute))


def offering(package: ModuleType, attribute: str) -> Iterator[ModuleType]:
    """Every module of ``package`` with the ``attribute``, and of its rooms: sub-packages without one.

    ``ImportError`` names the file that has no such attribute.
    """
    for module in modules(package):
        if hasattr(module, attribute):
            yield module
        elif hasattr(module, "__path__"):
            yield from offering(module, attribute)
        else:
            why = f"{module.__file__} has no {attribute}."
            raise ImportError(why, name=module.__name__, path=module.__file__)


def names(folders: Sequence[str]) -> Iterator[str]:
    """The names of all modules in folders and in the rooms there, none of them imported."""
    for found in pkgutil.iter_modules(folders):
        if found.ispkg:
            yield from names([str(Path(folder) / found.name) for folder in folders])
        elif not found.name.startswith("_"):
            yield found.name
