"""Every fault of this folder, by the name of its module. A new module is found by itself."""

import importlib
import pkgutil

from tests.drill import sabotage
from tests.drill.sabotage.fault import Fault

ANYWHERE, CONTAINERS = "FAULTS", "DOCKER_FAULTS"


def every(kind: str = ANYWHERE) -> dict[str, tuple[Fault, ...]]:
    """Faults of each module that lists some of this kind: those that any engine can have, or containers alone."""
    names = sorted(each.name for each in pkgutil.iter_modules(sabotage.__path__))
    modules = {name: importlib.import_module(f"{sabotage.__name__}.{name}") for name in names}
    return {name: getattr(module, kind) for name, module in modules.items() if hasattr(module, kind)}
