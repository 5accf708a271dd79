"""Finds the modules of a package, so that a new job type or strategy needs no entry anywhere else."""

import importlib
import pkgutil


def module_names(package: str) -> list[str]:
    """Full names of the plain modules of ``package``, sorted. Its sub-packages hold what those are made of."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(f"{package}.{module.name}" for module in found if not module.ispkg)
