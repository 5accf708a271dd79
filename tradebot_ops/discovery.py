"""Finds what the modules of a package offer, so that a new file there needs no entry anywhere else."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def modules(package: ModuleType) -> tuple[ModuleType, ...]:
    """Every module and sub-package of ``package``, imported, in the order of their names.

    A name with a leading underscore is skipped: its neighbours share it. Whatever an import raises is passed on.
    """
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names if not name.startswith("_"))


def discover(package: ModuleType, attribute: str) -> tuple[Any, ...]:
    """The ``attribute`` of every module of ``package``, and of every module of its rooms: sub-packages without one.

    ``ImportError`` names the file that has no such attribute.
    """
    return tuple(_found(package, attribute))


def _found(package: ModuleType, attribute: str) -> Iterator[Any]:
    for module in modules(package):
        if hasattr(module, attribute):
            yield getattr(module, attribute)
        elif hasattr(module, "__path__"):
            yield from _found(module, attribute)
        else:
            why = f"{module.__file__} has no {attribute}."
            raise ImportError(why, name=module.__name__, path=module.__file__)
