"""Finds what the modules of a package offer, so that a new file there needs no entry anywhere else."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def discover(package: ModuleType, attribute: str) -> tuple[Any, ...]:
    """The ``attribute`` of every module and sub-package of ``package``, in the order of their names.

    A name with a leading underscore is skipped: its neighbours share it. ``ImportError`` names the file that has
    no such attribute; whatever the import of a module raises is passed on.
    """
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return tuple(_offered(f"{package.__name__}.{name}", attribute) for name in names if not name.startswith("_"))


def _offered(name: str, attribute: str) -> Any:
    module = importlib.import_module(name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise ImportError(f"{module.__file__} has no {attribute}.", name=name, path=module.__file__) from None
